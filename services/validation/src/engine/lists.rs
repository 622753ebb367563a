//! What makes rules short: fields of objects, and list methods that a missing field answers too. Rhai's own array
//! methods come first; those here serve `()`, objects, and values of another type than the rule expects, which count
//! as empty.

use std::any::TypeId;

use rhai::{Array, Dynamic, Engine, EvalAltResult, FnPtr, INT, ImmutableString, Module, NativeCallContext};

use super::document::Node;

type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Registers objects and the methods that forgive.
pub(super) fn register(engine: &mut Engine) {
    register_fields(engine);
    register_types(engine);
    register_lists(engine);
}

fn register_fields(engine: &mut Engine) {
    engine.register_type_with_name::<Node>("object");
    engine.register_indexer_get(|object: &mut Node, field: ImmutableString| object.get(&field));
    engine.register_indexer_get(|_other: &mut Dynamic, _field: ImmutableString| ());
    engine.register_indexer_get(|_nothing: &mut (), _index: INT| ());
    engine.register_fn("keys", |object: &mut Node| object.names());
    engine.register_fn("values", |object: &mut Node| object.values());
    engine.register_fn("contains", |object: &mut Node, field: ImmutableString| !object.get(&field).is_unit());
    engine.register_fn("==", |a: Node, b: Node| a == b);
    engine.register_fn("!=", |a: Node, b: Node| a != b);
    let mut iterators = Module::new();
    iterators.set_iter(TypeId::of::<Node>(), |object| Box::new(items(object).into_iter()));
    iterators.set_iter(TypeId::of::<()>(), |_nothing| Box::new(std::iter::empty()));
    engine.register_global_module(iterators.into());
}

fn register_types(engine: &mut Engine) {
    engine.register_fn("is_string", |value: Dynamic| value.is_string());
    engine.register_fn("is_number", |value: Dynamic| value.is_int() || value.is_float());
    engine.register_fn("is_list", |value: Dynamic| value.is_array());
    engine.register_fn("is_object", |value: Dynamic| value.is::<Node>() || value.is_map());
}

fn register_lists(engine: &mut Engine) {
    engine.register_fn("len", |list: Dynamic| INT::try_from(items(list).len()).unwrap_or(INT::MAX));
    engine.register_fn("is_empty", |list: Dynamic| items(list).is_empty());
    engine.register_fn("filter", |context: NativeCallContext<'_>, list: Dynamic, test: FnPtr| -> Outcome<Array> {
        let mut kept = Array::new();
        for (index, item) in items(list).into_iter().enumerate() {
            if holds(&context, "filter", &test, item.clone(), index)? {
                kept.push(item);
            }
        }
        Ok(kept)
    });
    engine.register_fn("map", |context: NativeCallContext<'_>, list: Dynamic, make: FnPtr| -> Outcome<Array> {
        let items = items(list).into_iter().enumerate();
        items.map(|(index, item)| call(&context, "map", &make, item, index)).collect()
    });
    engine.register_fn("some", |context: NativeCallContext<'_>, list: Dynamic, test: FnPtr| -> Outcome<bool> {
        for (index, item) in items(list).into_iter().enumerate() {
            if holds(&context, "some", &test, item, index)? {
                return Ok(true);
            }
        }
        Ok(false)
    });
    engine.register_fn("find", |context: NativeCallContext<'_>, list: Dynamic, test: FnPtr| -> Outcome<Dynamic> {
        for (index, item) in items(list).into_iter().enumerate() {
            if holds(&context, "find", &test, item.clone(), index)? {
                return Ok(item);
            }
        }
        Ok(Dynamic::UNIT)
    });
    engine.register_fn("all", |context: NativeCallContext<'_>, list: Dynamic, test: FnPtr| -> Outcome<bool> {
        for (index, item) in items(list).into_iter().enumerate() {
            if !holds(&context, "all", &test, item, index)? {
                return Ok(false);
            }
        }
        Ok(true)
    });
}

/// The items of something that is used as a list: an array's, an object's values, else none.
fn items(list: Dynamic) -> Array {
    if let Some(object) = list.read_lock::<Node>() {
        return object.values();
    }
    list.into_array().unwrap_or_default()
}

fn holds(context: &NativeCallContext<'_>, name: &str, test: &FnPtr, item: Dynamic, index: usize) -> Outcome<bool> {
    Ok(call(context, name, test, item, index)?.as_bool().unwrap_or(false))
}

fn call(context: &NativeCallContext<'_>, name: &str, f: &FnPtr, mut item: Dynamic, index: usize) -> Outcome<Dynamic> {
    let index = INT::try_from(index).unwrap_or(INT::MAX).into();
    f.call_raw_with_extra_args(name, context, Some(&mut item), [], [index], Some(0))
}
