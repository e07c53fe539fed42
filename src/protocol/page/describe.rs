//! Descriptions of order pages, without their keys.

use memchr::memmem;
use serde_json::Value;

use super::{DATA, SendTo};
use crate::protocol::jose::json::{self, Object, optional_text, text};
use crate::protocol::model::{
    Alg, Enc, Error, MAX_LAYERS, Malformed, PageFault, Place, Result, ShopName, Suite,
};

/// Description of an order page: everything except its keys.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// The shop.
    pub shop: ShopName,
    /// Algorithms that the page seals with.
    pub suite: Suite,
    /// Content-encryption keys per order; more than one form a chain.
    pub layers: u8,
    /// Number of keys in the page.
    pub keys: usize,
    /// Whether its key serves more than one order.
    pub reusable: bool,
    /// Number of orders that the page can seal, if limited.
    pub orders: Option<u64>,
    /// Whether the user confirms each step.
    pub guided: bool,
    /// Whether the page takes only one order and then erases what it can.
    pub erase: bool,
    /// Address for orders.
    pub send_to: Option<SendTo>,
    /// Number of goods on offer; `None` if the user types the order.
    pub items: Option<usize>,
    /// Sizes of the page and its parts.
    pub sizes: Sizes,
}

/// Sizes of a page and its parts, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The whole page.
    pub page: usize,
    /// The keys.
    pub keys: usize,
    /// The goods without their pictures.
    pub items: usize,
    /// The fields.
    pub fields: usize,
    /// The pictures.
    pub pictures: usize,
}

impl Description {
    /// Parses an order page.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn parse(page: &[u8], place: &Place) -> Result<Self> {
        let malformed = |fault: PageFault| Error::malformed(place, fault);
        let data = delivered(page).ok_or_else(|| malformed(PageFault::NoData))?;
        let data = json::parse(data).map_err(|found| malformed(PageFault::DataNotJson(found)))?;
        Self::read(&data, page.len()).map_err(|found| malformed(PageFault::Data(Box::new(found))))
    }

    fn read(data: &Value, page: usize) -> Result<Self, Malformed> {
        let members = data.as_object().ok_or(PageFault::NoMembers)?;
        let flag = |name: &str| {
            let value = members.get(name).and_then(Value::as_bool);
            value.ok_or_else(|| PageFault::NoFlag(name.to_owned()))
        };
        let list = |name: &str| members.get(name).and_then(Value::as_array);
        let keys = list("keys").filter(|keys| !keys.is_empty()).ok_or(PageFault::NoKeys)?;
        let (reusable, erase) = (flag("reusable")?, flag("erase")?);
        let send_to = optional_text(members, "send_to")?.map(str::parse).transpose()?;
        let goods = list("items");
        let pictures =
            goods.into_iter().flatten().filter_map(|item| item.get("picture")).map(written).sum();
        Ok(Self {
            shop: json::name(members, "shop")?,
            suite: suite(members)?,
            layers: layers(members)?,
            keys: keys.len(),
            reusable,
            orders: match (erase, reusable) {
                (true, _) => Some(1),
                (false, true) => members.get("budget").and_then(Value::as_u64),
                (false, false) => Some(keys.len() as u64),
            },
            guided: flag("guided")?,
            erase,
            send_to,
            items: goods.map(Vec::len),
            sizes: Sizes {
                page,
                keys: keys.iter().map(key_size).sum(),
                items: members.get("items").map_or(0, written) - pictures,
                fields: members.get("fields").map_or(0, written),
                pictures,
            },
        })
    }
}

/// Finds the data in a page; returns it as written there.
fn delivered(page: &[u8]) -> Option<&[u8]> {
    let start = memmem::find(page, DATA.as_bytes())? + DATA.len();
    let end = memmem::find(&page[start..], b"</script>")?;
    Some(&page[start..start + end])
}

fn suite(members: &Object) -> Result<Suite, Malformed> {
    let (alg, enc) = (text(members, "alg")?, text(members, "enc")?);
    let suite =
        Alg::from_name(alg).zip(Enc::from_name(enc)).and_then(|(alg, enc)| Suite::new(alg, enc));
    suite.ok_or_else(|| PageFault::Algorithms { alg: alg.to_owned(), enc: enc.to_owned() }.into())
}

fn layers(members: &Object) -> Result<u8, Malformed> {
    let range = 1..=MAX_LAYERS;
    let read = |value: &Value| u8::try_from(value.as_u64()?).ok().filter(|it| range.contains(it));
    match members.get("layers") {
        None => Ok(1),
        Some(value) => read(value).ok_or(Malformed::OutOfRange {
            name: "layers",
            least: 1,
            most: MAX_LAYERS.into(),
        }),
    }
}

/// Length of a value as written in a page.
fn written(value: &Value) -> usize {
    let text = value.to_string();
    text.len() + text.matches('<').count() * ("\\u003c".len() - 1)
}

/// Length of a key as written in a page: brackets, a comma, and texts with quotation marks and
/// commas. This does not copy the key.
fn key_size(key: &Value) -> usize {
    let texts = key.as_array().into_iter().flatten().filter_map(Value::as_str);
    2 + texts.map(|text| text.len() + 3).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn data() -> Value {
        json!({
            "shop": "tokyo", "alg": "A256KW", "enc": "A256GCM", "reusable": false, "guided": true,
            "erase": false, "keys": [["0a", "AAAA"], ["0b", "BBBB"]], "send_to": "https://a.b/c",
            "items": [{"id": 1, "name": "x", "picture": "data:image/svg+xml,<svg>"}],
        })
    }

    fn read(data: &Value) -> Result<Description> {
        let page =
            format!("<!doctype html>{DATA}{}</script>", data.to_string().replace('<', "\\u003c"));
        Description::parse(page.as_bytes(), &Place::file("order.html"))
    }

    #[test]
    fn a_page_is_described_without_its_keys() {
        let page = read(&data()).unwrap();
        assert_eq!((page.shop.as_str(), page.keys, page.orders), ("tokyo", 2, Some(2)));
        assert_eq!((page.guided, page.erase, page.items), (true, false, Some(1)));
        assert_eq!(page.layers, 1);
        assert_eq!(page.send_to.unwrap().url(), "https://a.b/c");
        assert_eq!(page.sizes.keys, r#"["0a","AAAA"],["0b","BBBB"],"#.len());
        assert_eq!(page.sizes.pictures, r#""data:image/svg+xml,\u003csvg>""#.len());
        assert_eq!(page.sizes.items, r#"[{"id":1,"name":"x","picture":}]"#.len());
    }

    #[test]
    fn orders_are_those_of_the_ids_or_of_the_budget() {
        let orders = |member: &str, value: Value, budget: Value| {
            let mut data = data();
            data[member] = value;
            data["budget"] = budget;
            read(&data).unwrap().orders
        };
        assert_eq!(orders("reusable", json!(true), json!(7)), Some(7));
        assert_eq!(orders("reusable", json!(true), Value::Null), None);
        assert_eq!(orders("erase", json!(true), json!(7)), Some(1));
    }

    #[test]
    fn pages_that_were_altered_are_refused() {
        for (member, value, complaint) in [
            ("shop", json!("../x"), "shop \"../x\""),
            ("alg", json!("none"), "the algorithms \"none\""),
            ("keys", json!([]), "no keys"),
            ("keys", json!("x"), "no keys"),
            ("erase", json!(1), "no member \"erase\""),
            ("layers", json!(17), "\"layers\" is not a number from 1 to 16"),
            ("send_to", json!("ftp://a"), "http"),
        ] {
            let mut data = data();
            data[member] = value;
            let found = read(&data).unwrap_err().to_string();
            assert!(found.contains("found an order page") && found.contains(complaint), "{found}");
        }
        for page in ["", "<!doctype html>", DATA] {
            let found = Description::parse(page.as_bytes(), &Place::file("p")).unwrap_err();
            assert!(found.to_string().contains("without its data"), "{found}");
        }
        let page = format!("{DATA}[]</script>");
        let found = Description::parse(page.as_bytes(), &Place::file("p")).unwrap_err();
        assert!(found.to_string().contains("no members"), "{found}");
    }
}
