//! The command line: what to run, and how it ends.
//!
//! Exit codes are CPython's: 0, 1 for an uncaught exception, 2 for wrong usage, `SystemExit`'s own, 130 after Ctrl-C; and 70 after a
//! deadlock report.

mod dump;
mod end;
mod repl;
mod run;

use crate::vm::Vm;

/// What to run.
enum Task {
    Script(String),
    Command(String),
    Module(String),
    Stdin,
    Repl,
}

const USAGE: &str = "\
usage: corun [options] [script.co | -c CODE | -m MODULE | -] [arguments]

  script.co        run a script
  -c CODE          run the text
  -m MODULE        run a library module as a script
  -                run the program read from standard input
  (nothing)        start the interactive session

options:
  -i                      stay in an interactive session after the program
  -u                      write output without buffering
  --dump=tokens|ast|bytecode FILE
                          print a stage of the compilation
  -V, --version           print the version
  -h, --help              print this text
";

/// Runs the program and gives the exit status.
pub fn main() -> i32 {
    // Scripts run on a thread with a large stack, so that deep recursion through natives ends in RecursionError, never in a crash.
    // The pages are only reserved.
    let run = std::thread::Builder::new()
        .name("main".into())
        .stack_size(STACK)
        .spawn(real_main);
    match run.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => 134,
        Err(e) => {
            eprintln!("corun: cannot start: {e}");
            1
        }
    }
}

/// Bytes of native stack for scripts.
const STACK: usize = 512 << 20;

fn real_main() -> i32 {
    let args: Vec<String> = std::env::args_os()
        .skip(1)
        .map(|a| a.to_string_lossy().into_owned())
        .collect();
    let mut i = 0;
    let mut task = None;
    let mut interactive = false;
    while i < args.len() {
        let a = args[i].as_str();
        match a {
            "-h" | "--help" => {
                return print_or_fail(USAGE);
            }
            "-V" | "--version" => {
                return print_or_fail(&format!(
                    "corun {} (Python 3.14 language)\n",
                    env!("CARGO_PKG_VERSION")
                ));
            }
            "-i" => interactive = true,
            // CPython's switches that change nothing here.
            "-u" | "-B" | "-E" | "-s" | "-S" | "-I" | "-q" => (),
            "-c" | "-m" => {
                let Some(arg) = args.get(i + 1) else {
                    eprintln!("Argument expected for the {a} option");
                    eprint!("{USAGE}");
                    return 2;
                };
                task = Some(if a == "-c" {
                    Task::Command(arg.clone())
                } else {
                    Task::Module(arg.clone())
                });
                i += 2;
                break;
            }
            "-" => {
                task = Some(Task::Stdin);
                i += 1;
                break;
            }
            _ if a.starts_with("--dump") => {
                let what = a.strip_prefix("--dump=").unwrap_or("");
                return dump::dump(what, args.get(i + 1).map(String::as_str));
            }
            _ if a.starts_with('-') => {
                eprintln!("unknown option {a}");
                eprint!("{USAGE}");
                return 2;
            }
            _ => {
                task = Some(Task::Script(a.to_string()));
                i += 1;
                break;
            }
        }
        i += 1;
    }
    let rest = &args[i.min(args.len())..];
    let task = task.unwrap_or_else(|| {
        if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
            Task::Repl
        } else {
            Task::Stdin
        }
    });
    let vm = crate::runtime();
    let argv0 = match &task {
        Task::Script(s) => s.as_str(),
        Task::Command(_) => "-c",
        Task::Module(_) => "-m",
        Task::Stdin => "-",
        Task::Repl => "",
    };
    run::set_arguments(&vm, argv0, rest);
    let status = match task {
        Task::Repl => repl::session(&vm),
        task => {
            let r = match &task {
                Task::Script(path) => run::script(&vm, path),
                Task::Command(code) => run::text(&vm, code, "<string>"),
                Task::Module(name) => run::module(&vm, name),
                _ => run::stdin(&vm),
            };
            let status = end::status(&vm, r);
            if interactive {
                repl::session(&vm)
            } else {
                status
            }
        }
    };
    end::finish(vm, status)
}

/// Prints to stdout; a closed pipe is no reason to panic.
fn print_or_fail(text: &str) -> i32 {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// Shared by the files of this folder.
fn error_line(text: &str) {
    use std::io::Write;
    // If stderr is gone there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The dict of the module `__main__`.
fn main_dict(vm: &Vm) -> crate::object::Value {
    let m = crate::object::Value::clone(&run::main_module(vm));
    m.get::<crate::object::func::Module>()
        .map_or(crate::object::Value::NONE, |m| m.dict.clone())
}
