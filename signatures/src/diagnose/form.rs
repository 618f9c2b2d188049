//! Edits of form bodies.

use super::edit::{Proposal, Proposals};
use super::json::permutations;
use super::workbench::Case;
use crate::cause::Cause;
use crate::rewrite::form::{FORM_ROUND_TRIPS, Field, FormDialect, write};

/// The form as other programs write it, and with its values repaired.
pub(super) fn rewritten<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let Some(fields) = &case.form else {
        return Box::new(std::iter::empty());
    };
    let body = case.body;
    let reserialized = |what: String, body: Vec<u8>| Proposal::body(Cause::BodyReserialized, what, body);
    let programs =
        FORM_ROUND_TRIPS.iter().map(|dialect| (format!("the form fits as `{}` writes it", dialect.name), dialect));
    let programs = programs.map(move |(what, dialect)| (what, write(fields, dialect)));
    // Base64 in a form whose `+` was read as a space.
    let plus: Vec<Field> = fields.iter().map(|field| field.with_value(replaced(&field.value, b' ', b'+'))).collect();
    let plus =
        (plus != *fields).then(|| ("with `+` where a space came, the form fits".to_owned(), write(&plus, USUAL)));
    let spaces = [(&b"+"[..], &b"%20"[..]), (b"%20", b"+")].into_iter().map(move |(from, to)| {
        let what = format!("with `{}` for spaces, the form fits", String::from_utf8_lossy(to));
        (what, replaced_all(body, from, to))
    });
    let edits = programs.chain(plus).chain(spaces).filter(move |(_, edited)| edited != body);
    Box::new(edits.map(move |(what, body)| reserialized(what, body)).chain(decimals(fields)))
}

/// How many fields are tried one by one; more than any provider signs.
const FIELD_LIMIT: usize = 64;

/// Fields that a framework added or that got lost; one field's value instead of the form; another order.
pub(super) fn fields<'a>(case: &'a Case<'a>) -> Proposals<'a> {
    let Some(fields) = &case.form else {
        return Box::new(std::iter::empty());
    };
    let values = fields.iter().take(FIELD_LIMIT).filter(|field| !field.value.is_empty()).map(|field| {
        let what = format!("only the value of `{}` was signed", String::from_utf8_lossy(&field.name));
        Proposal::body(Cause::WrongContent, what, field.value.as_slice())
    });
    let without = (0..fields.len().min(FIELD_LIMIT)).filter(|_| fields.len() > 1).map(move |index| {
        let what = format!("without the field `{}`, the form fits", String::from_utf8_lossy(&fields[index].name));
        let rest = [&fields[..index], &fields[index + 1..]].concat();
        Proposal::body(Cause::BodyChanged, what, write(&rest, USUAL))
    });
    let added = (0..fields.len().min(FIELD_LIMIT)).map(move |index| {
        let what = format!("with `{}` empty, the form fits", String::from_utf8_lossy(&fields[index].name));
        let mut edited = fields.clone();
        edited[index].value.clear();
        Proposal::body(Cause::BodyChanged, what, write(&edited, USUAL))
    });
    let few = (2..=4).contains(&fields.len());
    let orders = if few { permutations(fields.len()) } else { Vec::new() };
    let orders = orders.into_iter().skip(1).map(move |order| {
        let reordered: Vec<_> = order.into_iter().map(|index| fields[index].clone()).collect();
        Proposal::body(
            Cause::BodyReserialized,
            "with its fields in another order, the form fits",
            write(&reordered, USUAL),
        )
    });
    Box::new(values.chain(without).chain(added).chain(orders))
}

/// How a form is written that is read again before it is signed: any dialect would do.
const USUAL: &FormDialect = &FORM_ROUND_TRIPS[0];

/// One amount whose decimals were changed: `1500.0` for `1500.00`.
fn decimals(fields: &[Field]) -> impl Iterator<Item = Proposal<'_>> {
    let amounts =
        fields.iter().enumerate().take(FIELD_LIMIT).flat_map(|(index, field)| {
            spellings_of_amount(&field.value).into_iter().map(move |spelled| (index, spelled))
        });
    amounts.map(move |(index, spelled)| {
        let name = String::from_utf8_lossy(&fields[index].name);
        let what = format!("with other decimals in the field `{name}`, the form fits");
        let mut edited = fields.to_vec();
        edited[index].value = spelled;
        Proposal::body(Cause::BodyReserialized, what, write(&edited, USUAL))
    })
}

/// The same amount with none, one and two decimals, as far as nothing but zeros is lost.
fn spellings_of_amount(value: &[u8]) -> Vec<Vec<u8>> {
    let Some(text) =
        std::str::from_utf8(value).ok().filter(|text| text.starts_with(|first: char| first.is_ascii_digit()))
    else {
        return Vec::new();
    };
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() > 15 {
        return Vec::new();
    }
    let kept = decimals.trim_end_matches('0');
    let spelled = [0, 1, 2]
        .into_iter()
        .filter(|count| kept.len() <= *count)
        .map(|count| if count == 0 { whole.to_owned() } else { format!("{whole}.{kept:0<count$}") });
    spelled.filter(|spelled| spelled != text).map(String::into_bytes).collect()
}

fn replaced(text: &[u8], from: u8, to: u8) -> Vec<u8> {
    text.iter().map(|byte| if *byte == from { to } else { *byte }).collect()
}

fn replaced_all(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut copied = 0;
    for found in memchr::memmem::find_iter(text, from) {
        out.extend_from_slice(&text[copied..found]);
        out.extend_from_slice(to);
        copied = found + from.len();
    }
    out.extend_from_slice(&text[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        let spelled = |text: &str| {
            let all = spellings_of_amount(text.as_bytes());
            all.into_iter().map(|text| String::from_utf8(text).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(spelled("1500.0"), ["1500", "1500.00"]);
        assert_eq!(spelled("2"), ["2.0", "2.00"]);
        assert_eq!(spelled("2.50"), ["2.5"]);
        for text in ["", "a", "1.234", "-1", "1.2.3"] {
            assert!(spelled(text).is_empty(), "{text}");
        }
        assert_eq!(replaced_all(b"a%20b%20", b"%20", b"+"), b"a+b+");
    }
}
