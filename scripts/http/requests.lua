-- wrk sends the requests that scripts/http/prepare.py wrote, each once, or again and again if AGAIN is set.
local ffi = require("ffi")
ffi.cdef [[
    typedef struct { long seconds; long micros; } moment;
    int gettimeofday(moment *now, void *zone);
]]

local function now()
    local moment = ffi.new("moment")
    ffi.C.gettimeofday(moment, nil)
    return tonumber(moment.seconds) + tonumber(moment.micros) / 1e6
end

local threads = {}

function setup(thread)
    table.insert(threads, thread)
    thread:set("number", #threads)
end

function init()
    file = assert(io.open(os.getenv("KIND") .. "-" .. number, "rb"))
    began, ended, sent = now(), 0, 0
end

local function next_request()
    local length = file:read("*n", 1)
    return length and file:read(length)
end

function request()
    local bytes = next_request()
    if not bytes and os.getenv("AGAIN") then
        file:seek("set")
        bytes = next_request()
    end
    if not bytes then
        wrk.thread:stop()
        ended = now()
        return ""
    end
    sent = sent + 1
    return bytes
end

-- If the requests ran out, the time until then counts.
function done(summary, latency)
    local seconds, ran_out = summary.duration / 1e6, false
    for _, thread in ipairs(threads) do
        local took = thread:get("ended") - thread:get("began")
        if took > 0 then seconds, ran_out = math.min(seconds, took), true end
    end
    local errors = summary.errors
    io.write(string.format("result %d %.0f %d in %.2f s; median %.1f ms, 99 %% %.1f ms, longest %.1f ms%s\n",
        summary.requests, summary.requests / seconds,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout,
        seconds, latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000,
        ran_out and " (all that were prepared)" or ""))
end
