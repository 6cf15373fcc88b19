//! What is fuzzed: functions that take any bytes, and panic where a law does not hold.
//!
//! With cargo-fuzz (which needs a nightly compiler) each is a target of libFuzzer; built otherwise it is a program that takes files, such as
//! those that a fuzzer has found, and tells which of them it has survived.

pub mod capture;
pub mod decoders;
pub mod filter;
pub mod keys;
pub mod schema;

#[cfg(fuzzing)]
pub use libfuzzer_sys;

/// The program of a target.
#[macro_export]
macro_rules! target {
    ($check:path) => {
        #[cfg(fuzzing)]
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| $check(bytes));

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::replay($check)
        }
    };
}

/// Gives a target the files that the command line names, those of directories among them.
pub fn replay(check: fn(&[u8])) -> std::process::ExitCode {
    let mut waiting: Vec<std::path::PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    if waiting.is_empty() {
        eprintln!("files are wanted, or directories of them");
        return std::process::ExitCode::from(2);
    }
    let mut survived = 0;
    while let Some(path) = waiting.pop() {
        if let Ok(entries) = path.read_dir() {
            waiting.extend(entries.flatten().map(|entry| entry.path()));
            continue;
        }
        match std::fs::read(&path) {
            Ok(bytes) => {
                eprintln!("{}", path.display());
                check(&bytes);
                survived += 1;
            }
            Err(error) => eprintln!("{}: {error}", path.display()),
        }
    }
    println!("survived {survived} files");
    std::process::ExitCode::SUCCESS
}
