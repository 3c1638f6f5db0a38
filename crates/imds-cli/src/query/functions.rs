//! The functions of JMESPath (jmespath.org, "Built-in Functions").

use std::cmp::Ordering;

use jmespath::ast::Ast;
use serde_json::{Map, Number, Value};

/// Name, fewest and most arguments; `usize::MAX` for any number.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("abs", 1, 1),
    ("avg", 1, 1),
    ("ceil", 1, 1),
    ("contains", 2, 2),
    ("ends_with", 2, 2),
    ("floor", 1, 1),
    ("join", 2, 2),
    ("keys", 1, 1),
    ("length", 1, 1),
    ("map", 2, 2),
    ("max", 1, 1),
    ("max_by", 2, 2),
    ("merge", 1, usize::MAX),
    ("min", 1, 1),
    ("min_by", 2, 2),
    ("not_null", 1, usize::MAX),
    ("reverse", 1, 1),
    ("sort", 1, 1),
    ("sort_by", 2, 2),
    ("starts_with", 2, 2),
    ("sum", 1, 1),
    ("to_array", 1, 1),
    ("to_number", 1, 1),
    ("to_string", 1, 1),
    ("type", 1, 1),
    ("values", 1, 1),
];

/// Refuses an expression that calls a function that does not exist, or with a wrong number of
/// arguments.
pub(super) fn check_names(ast: &Ast) -> Result<(), String> {
    match ast {
        Ast::Function { name, args, .. } => {
            let known = FUNCTIONS.iter().find(|(known, ..)| known == name);
            let Some((_, fewest, most)) = known else { return Err(unknown(name)) };
            if !(*fewest..=*most).contains(&args.len()) {
                let s = if *fewest == 1 { "" } else { "s" };
                let at_least = if fewest == most { "" } else { "at least " };
                return Err(format!(
                    "function `{name}` takes {at_least}{fewest} argument{s}, not {}",
                    args.len()
                ));
            }
            args.iter().try_for_each(check_names)
        }
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => check_names(lhs).and_then(|()| check_names(rhs)),
        Ast::Condition { predicate, then, .. } => check_names(predicate).and_then(|()| check_names(then)),
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => check_names(node),
        Ast::MultiList { elements, .. } => elements.iter().try_for_each(check_names),
        Ast::MultiHash { elements, .. } => elements.iter().try_for_each(|pair| check_names(&pair.value)),
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => Ok(()),
    }
}

fn unknown(name: &str) -> String {
    let near = crate::suggest::nearest(name, FUNCTIONS.iter().map(|(known, ..)| *known));
    let meant = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    format!("there is no function `{}`{meant}", imds_model::printable::brief(name))
}

/// Evaluates an expression on a value.
type Evaluate<'e> = &'e mut dyn FnMut(&Ast, &Value) -> Result<Value, String>;

/// Calls a function whose name and number of arguments were checked.
pub(super) fn call(
    name: &str,
    arguments: &[Ast],
    data: &Value,
    evaluate: Evaluate<'_>,
) -> Result<Value, String> {
    let mut values = Vec::with_capacity(arguments.len());
    let mut expression = None;
    for argument in arguments {
        match argument {
            Ast::Expref { ast, .. } => expression = Some(&**ast),
            other => values.push(evaluate(other, data)?),
        }
    }
    let wrong = |wanted: &str| format!("function `{name}` takes {wanted}");
    if let Some(expression) = expression {
        let [Value::Array(items)] = &mut values[..] else { return Err(wrong("`&expression` and an array")) };
        let items = std::mem::take(items);
        return match name {
            "map" => {
                let mapped = items.iter().map(|item| evaluate(expression, item));
                Ok(Value::Array(mapped.collect::<Result<_, _>>()?))
            }
            "sort_by" => Ok(Value::Array(by(name, items, expression, evaluate)?)),
            // Both find the first of several that are equal, as Python's `min` and `max` do.
            "min_by" | "max_by" => {
                Ok(by(name, items, expression, evaluate)?.into_iter().next().unwrap_or_default())
            }
            _ => Err(wrong("no `&expression`")),
        };
    }
    match (name, &mut values[..]) {
        ("map" | "sort_by" | "min_by" | "max_by", _) => Err(wrong("an `&expression`")),
        ("abs", [Value::Number(number)]) => Ok(match number.as_i64() {
            Some(whole) => whole.unsigned_abs().into(),
            None if number.is_u64() => Value::Number(number.clone()),
            None => float(number.as_f64().unwrap_or_default().abs()),
        }),
        ("ceil" | "floor", [Value::Number(number)]) => Ok(match number.as_f64() {
            Some(value) if number.is_f64() => {
                whole(if name == "ceil" { value.ceil() } else { value.floor() })
            }
            _ => Value::Number(number.clone()),
        }),
        ("abs" | "ceil" | "floor", _) => Err(wrong("a number")),
        ("avg" | "sum", [Value::Array(items)]) => {
            let numbers = numbers(items).ok_or_else(|| wrong("an array of numbers"))?;
            Ok(if name == "sum" { sum(items, &numbers) } else { average(&numbers) })
        }
        ("contains", [Value::String(text), Value::String(part)]) => Ok(text.contains(part.as_str()).into()),
        ("contains", [Value::String(_), _]) => Ok(false.into()),
        ("contains", [Value::Array(items), wanted]) => {
            Ok(items.iter().any(|item| is_equal(item, wanted)).into())
        }
        ("starts_with", [Value::String(text), Value::String(part)]) => {
            Ok(text.starts_with(part.as_str()).into())
        }
        ("ends_with", [Value::String(text), Value::String(part)]) => Ok(text.ends_with(part.as_str()).into()),
        ("starts_with" | "ends_with", _) => Err(wrong("two strings")),
        ("join", [Value::String(glue), Value::Array(items)]) => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Ok(texts.ok_or_else(|| wrong("a string and an array of strings"))?.join(glue).into())
        }
        ("keys", [Value::Object(map)]) => Ok(map.keys().map(|key| Value::from(key.as_str())).collect()),
        ("values", [Value::Object(map)]) => {
            Ok(std::mem::take(map).into_iter().map(|(_, value)| value).collect())
        }
        ("keys" | "values", _) => Err(wrong("an object")),
        ("length", [Value::String(text)]) => Ok(text.chars().count().into()),
        ("length", [Value::Array(items)]) => Ok(items.len().into()),
        ("length", [Value::Object(map)]) => Ok(map.len().into()),
        ("max" | "min", [Value::Array(items)]) => {
            let mut sorted = sorted(std::mem::take(items)).ok_or_else(|| wrong(SORTABLE))?;
            Ok(if name == "max" { sorted.pop() } else { sorted.drain(..).next() }.unwrap_or_default())
        }
        ("sort", [Value::Array(items)]) => {
            Ok(Value::Array(sorted(std::mem::take(items)).ok_or_else(|| wrong(SORTABLE))?))
        }
        ("merge", maps) => {
            let mut merged = Map::new();
            for map in maps {
                let Value::Object(map) = map else { return Err(wrong("objects")) };
                merged.extend(std::mem::take(map));
            }
            Ok(Value::Object(merged))
        }
        ("not_null", values) => {
            Ok(values.iter_mut().find(|value| !value.is_null()).map(Value::take).unwrap_or_default())
        }
        ("reverse", [Value::String(text)]) => Ok(text.chars().rev().collect::<String>().into()),
        ("reverse", [Value::Array(items)]) => Ok(std::mem::take(items).into_iter().rev().collect()),
        ("to_array", [value]) => {
            let value = value.take();
            Ok(if value.is_array() { value } else { Value::Array(vec![value]) })
        }
        ("to_number", [Value::Number(number)]) => Ok(Value::Number(number.clone())),
        ("to_number", [Value::String(text)]) => {
            Ok(serde_json::from_str::<Number>(text).map(Value::Number).unwrap_or_default())
        }
        ("to_number", [_]) => Ok(Value::Null),
        ("to_string", [Value::String(text)]) => Ok(std::mem::take(text).into()),
        ("to_string", [value]) => Ok(value.to_string().into()),
        ("type", [value]) => Ok(type_name(value).into()),
        ("avg" | "sum", _) => Err(wrong("an array of numbers")),
        ("contains", _) => Err(wrong("an array or a string, and what to look for")),
        ("join", _) => Err(wrong("a string and an array of strings")),
        ("length", _) => Err(wrong("a string, an array or an object")),
        ("reverse", _) => Err(wrong("an array or a string")),
        ("max" | "min" | "sort", _) => Err(wrong(SORTABLE)),
        _ => Err(wrong("other arguments")),
    }
}

const SORTABLE: &str = "an array of numbers or an array of strings";

/// The items in the order of what the expression finds in each, for `max_by` the largest first;
/// equal ones keep their order.
fn by(name: &str, items: Vec<Value>, expression: &Ast, evaluate: Evaluate<'_>) -> Result<Vec<Value>, String> {
    let mut keyed = Vec::with_capacity(items.len());
    for item in items {
        keyed.push((evaluate(expression, &item)?, item));
    }
    let keys: Vec<&Value> = keyed.iter().map(|(key, _)| key).collect();
    if !is_sortable(&keys) {
        return Err(format!("function `{name}` takes an expression that finds only numbers or only strings"));
    }
    keyed.sort_by(|(left, _), (right, _)| {
        let ordering = order(left, right);
        if name == "max_by" { ordering.reverse() } else { ordering }
    });
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

fn sorted(mut items: Vec<Value>) -> Option<Vec<Value>> {
    if !is_sortable(&items.iter().collect::<Vec<_>>()) {
        return None;
    }
    items.sort_by(order);
    Some(items)
}

fn is_sortable(items: &[&Value]) -> bool {
    items.iter().all(|item| item.is_number()) || items.iter().all(|item| item.is_string())
}

fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::String(left), Value::String(right)) => left.cmp(right),
        _ => {
            let number = |value: &Value| value.as_f64().unwrap_or_default();
            number(left).total_cmp(&number(right))
        }
    }
}

fn numbers(items: &[Value]) -> Option<Vec<f64>> {
    items.iter().map(Value::as_f64).collect()
}

fn sum(items: &[Value], numbers: &[f64]) -> Value {
    let whole: Option<i64> = items.iter().try_fold(0i64, |total, item| total.checked_add(item.as_i64()?));
    whole.map_or_else(|| float(numbers.iter().sum()), Value::from)
}

fn average(numbers: &[f64]) -> Value {
    if numbers.is_empty() { Value::Null } else { float(numbers.iter().sum::<f64>() / numbers.len() as f64) }
}

/// A float that is whole, as a whole number where it fits.
fn whole(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.abs() <= EXACT { Value::from(value as i64) } else { float(value) }
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map(Value::Number).unwrap_or_default()
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Equality as JSON has it: `1` and `1.0` are one number, the order of keys does not count.
pub(super) fn is_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => left == right || left.as_f64() == right.as_f64(),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| is_equal(value, other)))
        }
        _ => left == right,
    }
}
