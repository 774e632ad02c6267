//! The program `tollgate`. All of it is in the library, so that tests and benchmarks can compose a server, too.

use std::process::ExitCode;

fn main() -> ExitCode {
    tollgate::main()
}
