# The statistics of scripts/bench-compare.sh, which says what is tested.
#
#     awk -f verdict.awk side=a A side=b B         # lines of `orderseal bench --json`, of all rounds
#     awk -v rounds=N -v rows=M -f verdict.awk     # whether so few rounds can tell so many rows apart

BEGIN {
    LEVEL = 0.01 # the risk of a wrong verdict, for all rows together
    LEAST = 0.02 # differences of medians that do not matter
    NOISY = 0.1  # spread from which on only large differences can be noticed
    if (rounds) {
        needed = 1
        while (chance(0, needed) > LEVEL / rows) needed++
        if (rounds < needed) {
            printf "bench-compare.sh: error: to compare %d rows takes %d rounds at least\n", rows, needed > "/dev/stderr"
            code = 2
        }
        exit code
    }
}

{
    id = member("id")
    gsub(/"/, "", id)
    if (!(id in seen)) { seen[id]; ids[++many] = id }
    rate[side, id, ++count[side, id]] = member("operations_per_second") + 0
}

END {
    if (rounds) exit code
    for (i = 1; i <= many; i++) {
        if (length(ids[i]) > width) width = length(ids[i])
        if (count["a", ids[i]] && count["b", ids[i]]) both++
    }
    row("", "a", "spread", "b", "spread", "b to a", "verdict")
    for (i = 1; i <= many; i++) compare(ids[i])
    if (noisy) printf "~: spread over %d %%, a difference may go unnoticed\n", 100 * NOISY
    if (!both) {
        print "bench-compare.sh: error: no row is in both" > "/dev/stderr"
        exit 2
    }
    printf "%d rows: %d slower, %d faster, %d same\n", both, slower, faster, both - slower - faster
    exit slower > 0
}

function compare(id,    m, n, i, j, above, a, b, ratio, word) {
    m = sorted("a", id, as)
    n = sorted("b", id, bs)
    if (!m || !n) {
        row(id, m ? rated(quantile(as, m, 0.5)) : "-", "", n ? rated(quantile(bs, n, 0.5)) : "-", "", "", "only in " (m ? "a" : "b"))
        return
    }
    for (i = 1; i <= m; i++)
        for (j = 1; j <= n; j++) above += bs[j] > as[i] ? 1 : bs[j] == as[i] ? 0.5 : 0
    a = quantile(as, m, 0.5)
    b = quantile(bs, n, 0.5)
    ratio = b / a
    word = "same"
    if (m == n && chance(above < m * n / 2 ? above : m * n - above, m) <= LEVEL / both) {
        if (ratio < 1 - LEAST) { word = "slower"; slower++ }
        if (ratio > 1 / (1 - LEAST)) { word = "faster"; faster++ }
    }
    row(id, rated(a), spread(as, m), rated(b), spread(bs, n), sprintf("%.3f", ratio), word)
}

# How likely it is that of n rounds and n others so few pairs, or fewer, are the wrong way round, or
# so few the right way, if the two are alike: the orders with u such pairs are the coefficients of
# the Gaussian binomial.
function chance(few, n,    u, i, all, c, sum) {
    few = int(few + 0.5)
    c[0] = all = 1
    for (u = 1; u <= few; u++) c[u] = 0
    for (i = 1; i <= n; i++) {
        all *= (n + i) / i
        for (u = few; u >= n + i; u--) c[u] -= c[u - n - i]
        for (u = i; u <= few; u++) c[u] += c[u - i]
    }
    for (u = 0; u <= few; u++) sum += c[u]
    return 2 * sum / all
}

function sorted(side, id, out,    n, i, j, value) {
    n = count[side, id] + 0
    for (i = 1; i <= n; i++) {
        value = rate[side, id, i]
        for (j = i - 1; j >= 1 && out[j] > value; j--) out[j + 1] = out[j]
        out[j + 1] = value
    }
    return n
}

function quantile(values, n, share,    place, low) {
    place = 1 + share * (n - 1)
    low = int(place)
    return low < n ? values[low] + (place - low) * (values[low + 1] - values[low]) : values[n]
}

# Between the quartiles, as a share of the median.
function spread(values, n,    share) {
    share = (quantile(values, n, 0.75) - quantile(values, n, 0.25)) / quantile(values, n, 0.5)
    if (share > NOISY) noisy++
    return sprintf("%s%.1f %%", share > NOISY ? "~" : "", 100 * share)
}

# A member of the JSON object in this line.
function member(name,    value) {
    if (!match($0, "\"" name "\": *[^,}]*")) return ""
    value = substr($0, RSTART, RLENGTH)
    sub(/^[^:]*: */, "", value)
    return value
}

function rated(number,    prefix, i) {
    split("k M G", prefix, " ")
    for (i = 0; number >= 999.5 && i < 3; i++) number /= 1000
    return sprintf(number < 9.995 ? "%.2f %s/s" : number < 99.95 ? "%.1f %s/s" : "%.0f %s/s", number, i ? prefix[i] : "")
}

function row(id, a, spread_a, b, spread_b, ratio, verdict) {
    printf "%-" width "s  %10s  %7s  %10s  %7s  %7s  %s\n", id, a, spread_a, b, spread_b, ratio, verdict
}
