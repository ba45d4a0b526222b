//! What a command reads and what it writes: no file is both, and no file is written twice.

use crate::cli::{BenchCommand, Command, Images, ShowCommand, Source};
use crate::data_set::{beside, is_picture};
use crate::error::GenError;
use crate::pipeline::{Stage, load_config};
use heatvit_model::config::Config;
use std::path::{Path, PathBuf};

/// A file or folder, and what names it: an option, or a key of the configuration.
#[derive(Debug)]
struct Place {
    by: String,
    path: PathBuf,
    /// A folder that is replaced with all that is in it.
    replaced: bool,
}

/// The files and folders of a command.
#[derive(Debug, Default)]
pub struct NamedFiles {
    inputs: Vec<Place>,
    outputs: Vec<Place>,
}

/// Where the output folder goes when a command is not told: `out/<config stem>`.
pub fn default_place(config: &Path) -> PathBuf {
    Path::new("out").join(config.file_stem().unwrap_or_default())
}

/// The configuration, for the files that it names. What is wrong with it says the command, which reads it again; what can be
/// read only once, such as a pipe, is left to it.
fn config(path: &Path) -> Option<Config> {
    if path.is_file() { load_config(path).ok() } else { None }
}

impl NamedFiles {
    /// All that the options of a command name, and what the configuration names in their place.
    pub fn of(command: &Command) -> Self {
        let mut files = Self::default();
        match command {
            Command::Run(a) => {
                files.source(&a.source);
                files.images(&a.source.config, &a.images);
                files.replaced(a.out.clone().unwrap_or_else(|| default_place(&a.source.config)));
                files.outputs([("--json", &a.proof.json), ("--report", &a.page.report)]);
            }
            Command::Gen(a) => {
                files.source(&a.source);
                files.images(&a.source.config, &a.images);
                if a.until == Stage::Package {
                    files.replaced(a.out.clone().unwrap_or_else(|| default_place(&a.source.config)));
                }
            }
            Command::Sim(a) => {
                files.source(&a.source);
                files.images(&a.source.config, &a.images);
                files.outputs([("--json", &a.proof.json), ("--trace", &a.trace)]);
            }
            Command::Eval(a) => {
                files.source(&a.source);
                files.images(&a.source.config, &a.images);
                let logits = a.tensors.as_ref().map(|folder| folder.join("logits.npy"));
                files.outputs([("--logits", &a.logits), ("--json", &a.json), ("--tensors", &logits)]);
            }
            Command::Quantize(a) => {
                files.source(&a.source);
                files.images(&a.source.config, &Images::default());
                files.inputs([("--measure", &a.measure)]);
                files.outputs([("--out", &Some(a.out.clone())), ("--report", &a.report)]);
            }
            Command::SynthWeights(a) => {
                files.config(&a.config);
                files.images(&a.config, &Images { images: a.images.clone(), ..Images::default() });
                files.outputs([("--out", &Some(a.out.clone()))]);
            }
            Command::Resources(a) => {
                files.config(&a.config);
                files.inputs([("--yosys", &a.yosys)]);
                files.outputs([("--json", &a.json)]);
            }
            #[cfg(feature = "train")]
            Command::Train(a) => {
                files.config(&a.config);
                files.images(&a.config, &Images::default());
                files.outputs([("--out", &a.out)]);
            }
            Command::Bench(BenchCommand::Golden(a)) => {
                files.config(&a.config);
                files.outputs([("--json", &a.json)]);
            }
            Command::Bench(BenchCommand::Sim(a)) => {
                files.inputs([("--verilator", &a.verilator)]);
                files.outputs([("--json", &a.json)]);
            }
            Command::Show(ShowCommand::Config { .. } | ShowCommand::Errors) => {}
        }
        files
    }

    fn inputs<'a>(&mut self, asked: impl IntoIterator<Item = (&'a str, &'a Option<PathBuf>)>) {
        self.inputs.extend(named(asked));
    }

    fn outputs<'a>(&mut self, asked: impl IntoIterator<Item = (&'a str, &'a Option<PathBuf>)>) {
        self.outputs.extend(named(asked));
    }

    /// The output folder, which is replaced whole.
    fn replaced(&mut self, path: PathBuf) {
        self.outputs.push(Place { by: "--out".to_owned(), path, replaced: true });
    }

    fn config(&mut self, path: &Path) {
        self.inputs([("CONFIG", &Some(path.to_owned()))]);
    }

    fn source(&mut self, source: &Source) {
        self.config(&source.config);
        self.inputs([("--weights", &source.weights), ("--calibrate", &source.calibrate)]);
        if source.weights.is_none()
            && let Some(file) = config(&source.config).as_ref().and_then(Config::weight_file)
        {
            self.inputs([("[weights] of CONFIG", &Some(beside(&source.config, file)))]);
        }
    }

    fn images(&mut self, path: &Path, images: &Images) {
        let asked = [("--images", &images.images), ("--labels", &images.labels), ("--tensor", &images.tensor)];
        self.inputs(asked);
        if images.images.is_none()
            && images.tensor.is_none()
            && let Some(data) = config(path).and_then(|config| config.data)
        {
            let labels = data.labels.as_deref().map(|file| beside(path, file));
            let by = "[data] of CONFIG";
            self.inputs([(by, &Some(beside(path, &data.file))), (by, &labels)]);
        }
    }

    /// Refuses a command that would write over what it reads, or over what it has written.
    ///
    /// # Errors
    /// Both options, the file and what to do.
    pub fn check(&self) -> Result<(), GenError> {
        for (i, output) in self.outputs.iter().enumerate() {
            if output.path.starts_with("-") {
                return Err(GenError::Argument {
                    argument: format!("{} {}", output.by, output.path.display()),
                    problem: "`-` does not stand for stdout".to_owned(),
                    remedy: "name a file or folder, `./-` if it is that one".to_owned(),
                });
            }
            let Some(at) = resolve(&output.path) else { continue };
            for input in &self.inputs {
                let Some(read) = resolve(&input.path) else { continue };
                if read == at {
                    return Err(clash(output, input, "names the same file, which is read"));
                }
                if output.replaced && read.starts_with(&at) {
                    return Err(clash(output, input, "lies in this folder, which is replaced"));
                }
                if read.is_dir() && at.starts_with(&read) && is_picture(&at) {
                    return Err(clash(output, input, "reads the pictures of its folder"));
                }
            }
            if let Some(other) = self.outputs[..i].iter().find(|other| resolve(&other.path).as_ref() == Some(&at)) {
                return Err(clash(output, other, "names the same file, which is written, too"));
            }
        }
        Ok(())
    }
}

fn named<'a>(asked: impl IntoIterator<Item = (&'a str, &'a Option<PathBuf>)>) -> Vec<Place> {
    let given = asked.into_iter().filter_map(|(by, path)| Some((by, path.as_ref()?)));
    given.map(|(by, path)| Place { by: by.to_owned(), path: path.clone(), replaced: false }).collect()
}

fn clash(output: &Place, other: &Place, how: &str) -> GenError {
    GenError::Argument {
        argument: format!("{} {}", output.by, output.path.display()),
        problem: format!("{} {} {how}", other.by, other.path.display()),
        remedy: format!("choose another place for {}", output.by),
    }
}

/// The path without links; of what is not there yet, as far as its folders are there. `None` for a device or a pipe, which
/// can be named twice.
fn resolve(path: &Path) -> Option<PathBuf> {
    match std::fs::canonicalize(path) {
        Ok(real) => (real.is_file() || real.is_dir()).then_some(real),
        Err(_) => {
            let parent = path.parent()?;
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            Some(resolve(parent)?.join(path.file_name()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::run_cli;

    const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");

    fn refusal(arguments: &[&str]) -> String {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = run_cli(["heatvit"].iter().chain(arguments), &mut out, &mut err);
        assert_eq!((exit, out.len()), (2, 0), "{arguments:?}");
        String::from_utf8(err).unwrap_or_default()
    }

    #[test]
    fn stdout_is_no_place() {
        let end = "`-` does not stand for stdout; name a file or folder, `./-` if it is that one";
        for (command, option) in
            [("eval", "--json"), ("eval", "--tensors"), ("run", "--out"), ("run", "--report"), ("sim", "--trace")]
        {
            assert!(refusal(&[command, DIGITS, option, "-"]).contains(end));
        }
    }

    #[test]
    fn no_command_writes_over_what_it_reads() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (file, link, config) = (at("file"), at("link"), at("config.toml"));
        std::fs::write(&file, "kept").unwrap();
        std::os::unix::fs::symlink("file", &link).unwrap();
        std::fs::create_dir(at("photos")).unwrap();
        std::fs::copy(DIGITS, &config).unwrap();
        let (dotted, [photos, photo]) = (at("photos/../file"), [at("photos"), at("photos/one.JPG")]);
        let read = "names the same file, which is read";
        for (arguments, option, other) in [
            (vec!["eval", DIGITS, "--weights", &file, "--logits", &link], "--logits", "--weights"),
            (vec!["eval", DIGITS, "--weights", &link, "--json", &dotted], "--json", "--weights"),
            (vec!["eval", DIGITS, "--tensor", &file, "--json", &file], "--json", "--tensor"),
            (vec!["eval", DIGITS, "--images", &photos, "--labels", &file, "--json", &file], "--json", "--labels"),
            (vec!["quantize", DIGITS, "--weights", &file, "--out", &file], "--out", "--weights"),
            (vec!["quantize", DIGITS, "--calibrate", &file, "--out", &file], "--out", "--calibrate"),
            (vec!["quantize", DIGITS, "--out", "x", "--report", &file, "--measure", &file], "--report", "--measure"),
            (vec!["synth-weights", &config, "--out", &config], "--out", "CONFIG"),
            (vec!["sim", DIGITS, "--weights", &file, "--trace", &file], "--trace", "--weights"),
            (vec!["sim", &config, "--json", &config], "--json", "CONFIG"),
            (vec!["run", DIGITS, "--out", "new", "--weights", &file, "--report", &file], "--report", "--weights"),
            (vec!["resources", &config, "--json", &config], "--json", "CONFIG"),
            (vec!["bench", "golden", &config, "--json", &config], "--json", "CONFIG"),
            (vec!["bench", "sim", "--verilator", &file, "--json", &file], "--json", "--verilator"),
        ] {
            let (err, end) = (refusal(&arguments), format!("; choose another place for {option}\n"));
            let start = format!("error: {option} {}", folder.path().display());
            assert!(err.starts_with(&start) && err.contains(&format!(": {other} ")), "{err}");
            assert!(err.contains(read) && err.ends_with(&end), "{err}");
        }
        let err = refusal(&["eval", DIGITS, "--images", &photos, "--json", &photo]);
        assert!(err.ends_with("/photos reads the pictures of its folder; choose another place for --json\n"), "{err}");
        for command in ["run", "gen"] {
            let err = refusal(&[command, DIGITS, "--weights", &file, "--out", folder.path().to_str().unwrap()]);
            assert!(
                err.contains("/file lies in this folder, which is replaced; choose another place for --out"),
                "{err}"
            );
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
        assert_eq!(std::fs::read(&config).unwrap(), std::fs::read(DIGITS).unwrap());
    }

    /// The files of a configuration are read where no option names others.
    #[test]
    fn what_the_configuration_names_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(DIGITS).unwrap();
        let key = |name: &str| {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap();
            line.split('"').nth(1).unwrap().to_owned()
        };
        let config = at("digits.toml");
        std::fs::write(&config, &text).unwrap();
        for (name, by) in [("pruned", "[weights] of CONFIG"), ("file", "[data] of CONFIG")] {
            let file = at(&key(name));
            let err = refusal(&["quantize", &config, "--out", &file]);
            assert!(err.contains(&format!(": {by} ")) && err.ends_with("choose another place for --out\n"), "{err}");
        }
    }

    #[test]
    fn no_command_writes_a_file_twice() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (new, same, logits) = (at("new"), at("./new"), at("logits.npy"));
        let place = folder.path().to_str().unwrap();
        for (arguments, option, other) in [
            (vec!["eval", DIGITS, "--logits", &new, "--json", &same], "--json", "--logits"),
            (vec!["eval", DIGITS, "--logits", &logits, "--tensors", place], "--tensors", "--logits"),
            (vec!["quantize", DIGITS, "--out", &new, "--report", &same], "--report", "--out"),
            (vec!["sim", DIGITS, "--json", &new, "--trace", &same], "--trace", "--json"),
            (vec!["run", DIGITS, "--out", &at("o"), "--json", &new, "--report", &same], "--report", "--json"),
            (vec!["run", DIGITS, "--out", &new, "--json", &same], "--json", "--out"),
        ] {
            let (err, end) = (refusal(&arguments), format!("; choose another place for {option}\n"));
            assert!(err.starts_with(&format!("error: {option} ")) && err.ends_with(&end), "{err}");
            assert!(err.contains(&format!(": {other} ")) && err.contains("which is written, too"), "{err}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_device_can_be_named_twice() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let options = ["heatvit", "eval", DIGITS, "--count", "1", "--logits", "/dev/null", "--json", "/dev/null"];
        assert_eq!(run_cli(options, &mut out, &mut err), 0, "{}", String::from_utf8_lossy(&err));
    }
}
