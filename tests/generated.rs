//! What repeats the header's prototypes is written by these tests: the Python module's table of functions, and
//! the SYNOPSIS of each manual page. `make header` has them write; otherwise they compare.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::{header, root};

/// A function of the header.
struct Function {
    name: String,
    result: String,
    parameters: Vec<String>,
}

/// The header's functions, in its order.
fn functions() -> Vec<Function> {
    let declared = header::declared("c", &["-DCSAPP_EXTRAS"]);
    let functions = declared.into_iter().filter(|one| one.is_function);
    functions.map(|one| parsed(one.name, &one.text)).collect()
}

fn parsed(name: String, prototype: &str) -> Function {
    let prototype = prototype.replace("(void*)", "(void *)");
    let call = format!("{name}(");
    let (result, parameters) = prototype.split_once(&call).expect("a prototype");
    let parameters = parameters.strip_suffix(')').expect("a prototype");
    let mut depth = 0;
    let at_comma = |letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    };
    Function {
        result: result.trim().to_owned(),
        parameters: parameters
            .split(at_comma)
            .map(|one| one.trim().to_owned())
            .collect(),
        name,
    }
}

/// Compares a file with what it has to be, or with RENEW in the environment writes it.
#[track_caller]
fn expect(path: &Path, wanted: &str) {
    let found = fs::read_to_string(path).expect("a file of the project");
    if found == wanted {
        return;
    }
    if std::env::var_os("RENEW").is_some() {
        return fs::write(path, wanted).expect("a file of the project");
    }
    let differs = |(found, wanted): &(&str, &str)| found != wanted;
    let (found, wanted) = found
        .lines()
        .zip(wanted.lines())
        .find(differs)
        .unwrap_or_default();
    panic!(
        "{} is not what include/csapp.h says: run `make header`.\nfound:  {found}\nwanted: {wanted}",
        path.display()
    );
}

/// What ctypes calls a type of C, a result's or a parameter's with its name.
fn ctype(text: &str) -> &'static str {
    let is = |kind: &str| text == kind || text.starts_with(&format!("{kind} "));
    if text.starts_with("rio_t *") {
        "_Rio"
    } else if text.starts_with("const char *") && text.matches('*').count() == 1 {
        "c_char_p"
    } else if text.contains('*') {
        "c_void_p"
    } else if is("int") || is("pid_t") {
        "c_int"
    } else if is("unsigned int") || is("mode_t") || is("socklen_t") {
        "c_uint"
    } else if is("long") || is("off_t") {
        "c_long"
    } else if is("pthread_t") {
        "c_ulong"
    } else if is("size_t") {
        "c_size_t"
    } else if is("ssize_t") {
        "c_ssize_t"
    } else {
        panic!("{text}: which type of ctypes is that?")
    }
}

/// The function's line of the table: its result, then its parameters.
fn python_line(function: &Function) -> String {
    let result = match function.result.as_str() {
        "void" => "None",
        result => ctype(result),
    };
    let parameters = function.parameters.iter().map(String::as_str);
    let typed = parameters
        .filter(|one| !["void", "..."].contains(one))
        .map(ctype);
    let types: Vec<&str> = std::iter::once(result).chain(typed).collect();
    let comma = if types.len() == 1 { "," } else { "" };
    format!(
        "    \"{}\": ({}{comma}),\n",
        function.name,
        types.join(", ")
    )
}

#[test]
fn the_python_table() {
    let path = root().join("python/csapp/_library.py");
    let text = fs::read_to_string(&path).expect("the module");
    let (before, rest) = text.split_once("_FUNCTIONS = {\n").expect("the table");
    let (_, after) = rest.split_once("\n}\n").expect("its end");
    let takes_va_list =
        |one: &Function| one.parameters.iter().any(|one| one.starts_with("va_list"));
    let functions = functions().into_iter().filter(|one| !takes_va_list(one));
    let table: String = functions.map(|one| python_line(&one)).collect();
    expect(
        &path,
        &format!("{before}_FUNCTIONS = {{\n{table}}}\n{after}"),
    );
}

/// The two lines of mdoc for a function.
fn mdoc(function: &Function) -> String {
    let parameters = function.parameters.iter().map(|one| format!(" \"{one}\""));
    format!(
        ".Ft {}\n.Fn {}{}\n",
        function.result,
        function.name,
        parameters.collect::<String>()
    )
}

/// Each page says which functions it is about, in which order; how they are declared comes from the header.
#[test]
fn the_synopsis_of_each_page() {
    let functions: BTreeMap<String, Function> = functions()
        .into_iter()
        .map(|one| (one.name.clone(), one))
        .collect();
    for page in fs::read_dir(root().join("man")).expect("the pages") {
        let path = page.expect("a page").path();
        let text = fs::read_to_string(&path).expect("a page");
        let (mut wanted, mut is_synopsis, mut result) = (String::new(), false, None);
        for line in text.lines() {
            if line.starts_with(".Sh ") {
                is_synopsis = line == ".Sh SYNOPSIS";
            }
            let name = line
                .strip_prefix(".Fn ")
                .and_then(|call| call.split(' ').next());
            match (is_synopsis, name.and_then(|name| functions.get(name))) {
                (true, Some(function)) => {
                    result = None;
                    wanted += &mdoc(function);
                }
                (true, None) if line.starts_with(".Ft ") => result = Some(line),
                _ => {
                    // Not the header's, as a macro that is written like a function.
                    wanted.extend(result.take().map(|result| format!("{result}\n")));
                    wanted += line;
                    wanted.push('\n');
                }
            }
        }
        expect(&path, &wanted);
    }
}
