//! Evaluates a parsed expression, with the keys of objects in order.

use jmespath::ast::{Ast, Comparator};
use serde_json::{Map, Value};

use super::functions::{self, is_equal};

/// Most values that one evaluation may build. `[@,@] | [@,@] | ...` doubles its result at each
/// step.
const MOST_VALUES: usize = 2_000_000;

/// The state of one evaluation.
pub(super) struct Interpreter {
    left: usize,
}

/// Returns what the expression finds in the value.
///
/// # Errors
/// Returns an error if a function gets an argument of the wrong type, or the result grows too
/// large.
pub(super) fn search(ast: &Ast, value: &Value) -> Result<Value, String> {
    Interpreter { left: MOST_VALUES }.evaluate(ast, value)
}

impl Interpreter {
    pub(super) fn evaluate(&mut self, ast: &Ast, data: &Value) -> Result<Value, String> {
        self.spend(1)?;
        Ok(match ast {
            Ast::Identity { .. } => self.copy(data)?,
            Ast::Field { name, .. } => match data.get(name) {
                Some(found) => self.copy(found)?,
                None => Value::Null,
            },
            Ast::Index { idx, .. } => match at_index(data, *idx) {
                Some(found) => self.copy(found)?,
                None => Value::Null,
            },
            Ast::Slice { start, stop, step, .. } => self.slice(data, *start, *stop, *step)?,
            Ast::Literal { value, .. } => serde_json::to_value(value).map_err(|error| error.to_string())?,
            Ast::Subexpr { lhs, rhs, .. } => {
                let left = self.evaluate(lhs, data)?;
                self.evaluate(rhs, &left)?
            }
            Ast::Or { lhs, rhs, .. } => {
                let left = self.evaluate(lhs, data)?;
                if is_truthy(&left) { left } else { self.evaluate(rhs, data)? }
            }
            Ast::And { lhs, rhs, .. } => {
                let left = self.evaluate(lhs, data)?;
                if is_truthy(&left) { self.evaluate(rhs, data)? } else { left }
            }
            Ast::Not { node, .. } => Value::Bool(!is_truthy(&self.evaluate(node, data)?)),
            Ast::Condition { predicate, then, .. } => {
                if is_truthy(&self.evaluate(predicate, data)?) {
                    self.evaluate(then, data)?
                } else {
                    Value::Null
                }
            }
            Ast::Comparison { comparator, lhs, rhs, .. } => {
                compare(comparator, &self.evaluate(lhs, data)?, &self.evaluate(rhs, data)?)
            }
            Ast::ObjectValues { node, .. } => match self.evaluate(node, data)? {
                Value::Object(map) => map.into_iter().map(|(_, value)| value).collect(),
                _ => Value::Null,
            },
            Ast::Projection { lhs, rhs, .. } => self.project(lhs, rhs, data)?,
            Ast::Flatten { node, .. } => match self.evaluate(node, data)? {
                Value::Array(items) => flattened(items),
                _ => Value::Null,
            },
            Ast::MultiList { .. } | Ast::MultiHash { .. } if data.is_null() => Value::Null,
            Ast::MultiList { elements, .. } => {
                let items = elements.iter().map(|element| self.evaluate(element, data));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Ast::MultiHash { elements, .. } => {
                let mut map = Map::new();
                for pair in elements {
                    map.insert(pair.key.clone(), self.evaluate(&pair.value, data)?);
                }
                Value::Object(map)
            }
            Ast::Function { name, args, .. } => {
                functions::call(name, args, data, &mut |ast, data| self.evaluate(ast, data))?
            }
            Ast::Expref { .. } => return Err("`&` stands only for an argument of a function".to_owned()),
        })
    }

    fn project(&mut self, lhs: &Ast, rhs: &Ast, data: &Value) -> Result<Value, String> {
        let Value::Array(items) = self.evaluate(lhs, data)? else { return Ok(Value::Null) };
        let mut found = Vec::new();
        for item in items {
            let value = self.evaluate(rhs, &item)?;
            if !value.is_null() {
                found.push(value);
            }
        }
        Ok(Value::Array(found))
    }

    fn slice(
        &mut self,
        data: &Value,
        start: Option<i32>,
        stop: Option<i32>,
        step: i32,
    ) -> Result<Value, String> {
        if step == 0 {
            return Err("the step of a slice is 0".to_owned());
        }
        let Value::Array(items) = data else { return Ok(Value::Null) };
        let length = items.len() as i64;
        let (lowest, highest) = if step < 0 { (-1, length - 1) } else { (0, length) };
        let bound = |given: Option<i32>, default: i64| match given {
            None => default,
            Some(index) if index < 0 => (i64::from(index) + length).max(lowest),
            Some(index) => i64::from(index).min(highest),
        };
        let (first, last) = if step < 0 { (highest, lowest) } else { (lowest, highest) };
        let (mut at, end) = (bound(start, first), bound(stop, last));
        let mut found = Vec::new();
        while if step < 0 { at > end } else { at < end } {
            if let Some(item) = usize::try_from(at).ok().and_then(|at| items.get(at)) {
                found.push(self.copy(item)?);
            }
            at += i64::from(step);
        }
        Ok(Value::Array(found))
    }

    /// Copies a value, which counts against the bound.
    pub(super) fn copy(&mut self, value: &Value) -> Result<Value, String> {
        self.spend(size(value))?;
        Ok(value.clone())
    }

    fn spend(&mut self, count: usize) -> Result<(), String> {
        self.left = self
            .left
            .checked_sub(count)
            .ok_or_else(|| format!("it builds more than {MOST_VALUES} values"))?;
        Ok(())
    }
}

/// The number of values in a value, itself included.
fn size(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Object(map) => 1 + map.values().map(size).sum::<usize>(),
        _ => 1,
    }
}

fn at_index(data: &Value, index: i32) -> Option<&Value> {
    let items = data.as_array()?;
    let at = if index < 0 { i64::from(index) + items.len() as i64 } else { i64::from(index) };
    items.get(usize::try_from(at).ok()?)
}

fn flattened(items: Vec<Value>) -> Value {
    let mut flat = Vec::new();
    for item in items {
        match item {
            Value::Array(inner) => flat.extend(inner),
            other => flat.push(other),
        }
    }
    Value::Array(flat)
}

/// False-like are `null`, `false`, and empty strings, arrays and objects.
fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_true) => *is_true,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::Number(_) => true,
    }
}

/// Numbers and strings have an order, as in `jmespath.py`; an order of anything else is `null`.
fn compare(comparator: &Comparator, left: &Value, right: &Value) -> Value {
    match comparator {
        Comparator::Equal => return Value::Bool(is_equal(left, right)),
        Comparator::NotEqual => return Value::Bool(!is_equal(left, right)),
        _ => {}
    }
    let ordering = match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left.as_f64().zip(right.as_f64()).and_then(|(left, right)| left.partial_cmp(&right))
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => None,
    };
    let Some(ordering) = ordering else { return Value::Null };
    Value::Bool(match comparator {
        Comparator::LessThan => ordering.is_lt(),
        Comparator::LessThanEqual => ordering.is_le(),
        Comparator::GreaterThan => ordering.is_gt(),
        Comparator::GreaterThanEqual => ordering.is_ge(),
        Comparator::Equal | Comparator::NotEqual => false,
    })
}
