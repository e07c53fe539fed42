//! Prices that a browser can calculate with exactly.

use serde_json::{Value, json};

use crate::protocol::model::{Malformed, PageFault};

/// Most pieces of an item in one order; the page has the same limit.
const MAX_PIECES: u64 = 9_999;

/// Highest price, in the currency's smallest unit: a browser still represents the price of
/// [`MAX_PIECES`] pieces exactly.
const MAX_UNITS: f64 = (((1 << 53) - 1) / MAX_PIECES) as f64;

/// ISO 4217 currencies without decimals.
const WHOLE: [&str; 17] = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
];

/// ISO 4217 currencies with three decimals.
const THOUSANDTHS: [&str; 7] = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"];

/// Number of decimals in a currency's amounts.
pub(super) fn decimals(currency: &str) -> u8 {
    match currency {
        currency if WHOLE.contains(&currency) => 0,
        currency if THOUSANDTHS.contains(&currency) => 3,
        "CLF" | "UYW" => 4,
        _ => 2,
    }
}

/// Reads a price; it must not have more decimals than its currency.
pub(super) fn price(value: &Value, currency: Option<&str>) -> Result<Value, Malformed> {
    let number = value.as_f64().filter(|number| *number >= 0.0 && !number.is_sign_negative());
    let number = number.ok_or_else(|| Malformed::member("price", "a number of 0 or more"))?;
    let decimals = currency.map_or(2, decimals);
    let scale = 10_f64.powi(decimals.into());
    let units = (number * scale).round();
    if units > MAX_UNITS {
        let (found, most) = (value.to_string(), (MAX_UNITS / scale).to_string());
        return Err(PageFault::Price { found, most, pieces: MAX_PIECES }.into());
    }
    // Division gives the same nearest floating-point number as parsing the decimal digits.
    let exact = units / scale;
    if (number - exact).abs() > number * 2.0 * f64::EPSILON {
        let (found, currency) = (value.to_string(), currency.map(str::to_owned));
        return Err(PageFault::Decimals { found, decimals, currency }.into());
    }
    Ok(if exact.fract() == 0.0 { json!(exact as u64) } else { json!(exact) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, currency: &str) -> Result<String, String> {
        let value = serde_json::from_str(text).unwrap();
        let price = price(&value, Some(currency).filter(|code| !code.is_empty()));
        price.map(|price| price.to_string()).map_err(|found| found.to_string())
    }

    #[test]
    fn prices_have_the_decimals_of_their_currency() {
        for (text, currency, written) in [
            ("0", "JPY", "0"),
            ("1280", "JPY", "1280"),
            ("1280.0", "JPY", "1280"),
            ("12.8e2", "KRW", "1280"),
            ("12.34", "EUR", "12.34"),
            ("0.07", "", "0.07"),
            ("12.3400000000000000", "EUR", "12.34"),
            ("1.005", "KWD", "1.005"),
            ("1.0005", "CLF", "1.0005"),
            ("900810006474", "JPY", "900810006474"),
            ("9008100064.74", "EUR", "9008100064.74"),
        ] {
            assert_eq!(read(text, currency).unwrap(), written, "{text} {currency}");
        }
    }

    #[test]
    fn every_hundredth_is_read_as_it_is_written() {
        for cents in (0..2_000_000_u64).step_by(37).chain([900_810_006_473]) {
            let text = format!("{}.{:02}", cents / 100, cents % 100);
            let written = read(&text, "EUR").unwrap();
            assert_eq!(written.parse::<f64>().unwrap(), text.parse::<f64>().unwrap(), "{text}");
        }
    }

    #[test]
    fn other_prices_are_refused() {
        for (text, currency, complaint) in [
            ("-1", "JPY", "0 or more"),
            ("-0.0", "JPY", "0 or more"),
            ("-0", "JPY", "0 or more"),
            ("\"1\"", "JPY", "0 or more"),
            ("null", "", "0 or more"),
            ("12.5", "JPY", "\"price\" 12.5 has more decimals than the 0 in JPY"),
            ("0.1", "VND", "0 in VND"),
            ("1.999", "EUR", "2 in EUR"),
            ("1e-7", "EUR", "2 in EUR"),
            ("1.999", "", "2 without a currency"),
            ("1.0005", "OMR", "3 in OMR"),
            ("1000000000.001", "EUR", "2 in EUR"),
            ("900810006475", "JPY", "is more than 900810006474"),
            ("9008100064.75", "EUR", "is more than 9008100064.74"),
            ("1e300", "EUR", "is more than"),
            ("18446744073709551615", "JPY", "is more than"),
        ] {
            let found = read(text, currency).unwrap_err();
            assert!(found.contains(complaint), "{text} {currency}: {found}");
        }
    }
}
