//! The command line: arguments in, exit code out. Results go to stdout, progress and errors to stderr.

mod args;
mod bench_args;

#[cfg(feature = "train")]
pub use args::TrainArgs;
pub use args::{
    Arguments, Command, EngineName, EvalArgs, GenArgs, Images, Page, Proof, QuantizeArgs, ResourcesArgs, RunArgs,
    ShowCommand, SimArgs, Source, SynthArgs,
};

pub use bench_args::{BenchCommand, GoldenBenchArgs, SimBenchArgs};

use crate::command;
use clap::Parser as _;
use clap::error::ErrorKind;
use std::ffi::OsString;
use std::io::Write;

/// All values equal, or the command has no comparison.
pub const EXIT_EQUAL: u8 = 0;
/// A value differs.
pub const EXIT_MISMATCH: u8 = 1;
/// Input or usage is refused.
pub const EXIT_REFUSED: u8 = 2;

/// Runs a command line, the program's name first.
///
/// # Example
/// ```
/// let (mut out, mut err) = (Vec::new(), Vec::new());
/// let exit = heatvit_gen::run_cli(["heatvit", "show", "config", "missing.toml"], &mut out, &mut err);
/// assert_eq!(exit, 2);
/// assert!(String::from_utf8(err).unwrap().starts_with("error: missing.toml: cannot read"));
/// ```
pub fn run_cli<I, T>(arguments: I, out: &mut dyn Write, err: &mut dyn Write) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(e) if matches!(e.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            return finish(write!(out, "{}", e.render()), EXIT_EQUAL);
        }
        Err(e) => return finish(write!(err, "{}", e.render()), EXIT_REFUSED),
    };
    match command::execute(&arguments.command, out) {
        Ok(exit) => exit,
        Err(e) => finish(writeln!(err, "error: {}", one_line(&e.to_string())), e.exit()),
    }
}

/// Characters of a message that are shown at most: a tensor's name may be of any length.
const LONGEST: usize = 4_000;

/// A message without control characters, which names of files and tensors may have; of a very long one start and end.
fn one_line(message: &str) -> String {
    let escape = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    let shown: Vec<String> = message.chars().map(escape).collect();
    if shown.len() <= LONGEST {
        return shown.concat();
    }
    let (start, end) = (&shown[..LONGEST / 2], &shown[shown.len() - LONGEST / 2..]);
    format!("{} ... {}", start.concat(), end.concat())
}

/// The exit code, unless what was to be said could not be said.
fn finish(written: std::io::Result<()>, exit: u8) -> u8 {
    if written.is_ok() { exit } else { EXIT_REFUSED }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    /// The command lines in a help text: lines that start with the tool's name; what follows two blanks explains.
    fn examples(help: &str) -> Vec<Vec<&str>> {
        let lines = help.lines().filter_map(|line| line.strip_prefix("  ").filter(|l| l.starts_with("heatvit ")));
        lines.map(|line| line.split("  ").next().unwrap_or(line).split(' ').collect()).collect()
    }

    const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");

    /// Exit code and both outputs of `heatvit run` on the digits.
    fn run_digits(options: &[&str]) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_cli(["heatvit", "run", DIGITS].iter().chain(options), &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (exit, text(out), text(err))
    }

    #[test]
    fn a_run_writes_its_page_also_into_its_own_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out");
        let page = place.join("pictures/page.html");
        let (place, page) = (place.to_str().unwrap(), page.to_str().unwrap());
        let options = ["--count", "2", "--report-images", "1", "--out", place, "--report", page];
        let (exit, out, err) = run_digits(&options);
        assert_eq!((exit, err.as_str()), (EXIT_EQUAL, ""));
        assert!(out.ends_with("page.html (1 images)\n"), "{out}");
        let first = std::fs::read_to_string(page).unwrap();
        assert_eq!(first.matches("<article").count(), 1);
        assert!(first.contains("the first 1 of 2") && first.contains("<h1>digits</h1>"));
        // Neither time nor the machine's speed is on the page.
        assert_eq!(run_digits(&options).0, EXIT_EQUAL);
        assert_eq!(std::fs::read_to_string(page).unwrap(), first);
    }

    #[test]
    fn a_page_that_cannot_be_written_is_refused_before_anything_else_is() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "x").unwrap();
        let (place, page) = (folder.path().join("out"), folder.path().join("file/page.html"));
        let options = ["--out", place.to_str().unwrap(), "--report", page.to_str().unwrap()];
        let (exit, out, err) = run_digits(&options);
        assert_eq!((exit, out.as_str()), (EXIT_REFUSED, ""));
        assert!(err.starts_with("error: ") && err.contains("/file: cannot create"), "{err}");
        assert!(!place.exists());
    }

    #[test]
    fn messages_are_one_line_of_bounded_length() {
        assert_eq!(one_line("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
        let long = one_line(&format!("start {} end", "x".repeat(100_000)));
        assert!(long.starts_with("start x") && long.ends_with("x end") && long.len() < 5_000);
        let (exit, _, err) = run_digits(&["--weights", "no\nfile"]);
        assert!(exit == EXIT_REFUSED && err.lines().count() == 1 && err.contains("no\\nfile"), "{err}");
    }

    #[test]
    fn a_number_of_pictures_needs_a_page() {
        let (exit, _, err) = run_digits(&["--report-images", "3"]);
        assert_eq!(exit, EXIT_REFUSED);
        assert!(err.contains("--report <FILE>"), "{err}");
    }

    #[test]
    fn the_examples_of_every_help_text_are_accepted() {
        let mut command = Arguments::command();
        let mut found = Vec::new();
        let mut helps = vec![command.render_long_help().to_string()];
        for subcommand in command.get_subcommands_mut() {
            helps.push(subcommand.render_long_help().to_string());
            helps.extend(subcommand.get_subcommands_mut().map(|c| c.render_long_help().to_string()));
        }
        for help in &helps {
            for example in examples(help) {
                assert!(Arguments::try_parse_from(&example).is_ok(), "{example:?}");
                found.push(example[1].to_owned());
            }
        }
        for name in ["run", "gen", "sim", "eval", "quantize", "synth-weights", "resources", "bench", "show"] {
            assert!(found.iter().any(|f| f == name), "no example of {name}");
        }
    }
}
