//! Yosys: where it is, and the cells that it makes of a design.

use super::tree::Cells;
use crate::error::GenError;
use crate::files;
use heatvit_rtl::verilog::VerilogFile;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program, as PATH knows it.
const PROGRAM: &str = "yosys";
/// Where `scripts/install-tools` puts it, below the repository.
const KIT: &str = ".tools/bin/yosys";
/// What is said where there is none.
const REMEDY: &str = "run scripts/install-tools in the repository, or name the program with --yosys PROGRAM";

/// Finds the program: as asked for, on PATH, or in `.tools/bin` of a folder above this one or above the tool.
///
/// # Errors
/// There is none.
pub fn find(asked: Option<&Path>) -> Result<PathBuf, GenError> {
    if let Some(program) = asked {
        return Ok(program.to_owned());
    }
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let here = std::env::current_dir().ok();
    let tool = std::env::current_exe().ok();
    locate(&on_path, &[here.as_deref(), tool.as_deref()]).ok_or_else(|| GenError::Argument {
        argument: PROGRAM.to_owned(),
        problem: "there is no such program".to_owned(),
        remedy: REMEDY.to_owned(),
    })
}

fn locate(on_path: &OsStr, below: &[Option<&Path>]) -> Option<PathBuf> {
    let listed = std::env::split_paths(on_path).map(|folder| folder.join(PROGRAM));
    let kits = below.iter().flatten().flat_map(|start| start.ancestors()).map(|folder| folder.join(KIT));
    listed.chain(kits).find(|program| program.is_file())
}

/// What Yosys does: its flow for the device, but for the mapping to lookup tables. There it would run abc9, which takes
/// minutes where abc takes seconds and gives 1 % fewer lookup tables. Distributed tables become logic here: its library
/// has no ROM of lookup tables. Modules that are `known` are empty boxes.
fn script(top: &str, wanted: &[&VerilogFile], known: &[&VerilogFile]) -> String {
    let read = |option: &str, files: &[&VerilogFile]| -> String {
        files.iter().map(|f| format!("read_verilog -noautowire {option}{}\n", f.name)).collect()
    };
    let flow = format!("synth_xilinx -family xcup -top {top} -noiopad -noclkbuf -run");
    format!(
        "{}{}\
         setattr -set rom_style \"logic\" a:rom_style=distributed\n\
         {flow} begin:map_luts\n\
         opt_expr -mux_undef -noclkinv\n\
         abc -luts 2:2,3,6:5\n\
         clean\n\
         xilinx_srl -fixed -minlen 3\n\
         techmap -map +/xilinx/lut_map.v -map +/xilinx/cells_map.v -D LUT_WIDTH=6\n\
         xilinx_dffopt\n\
         opt_lut_ins -tech xilinx\n\
         {flow} finalize:check\n\
         tee -q -o cells.json stat -json\n",
        read("", wanted),
        read("-lib ", known)
    )
}

/// Modules of `stat -json`.
#[derive(serde::Deserialize)]
struct Stat {
    modules: BTreeMap<String, StatModule>,
}

#[derive(serde::Deserialize)]
struct StatModule {
    num_cells_by_type: Cells,
}

/// The cells of every module; a module with parameters is called `$paramod$...\name`.
fn parse(text: &str) -> Result<BTreeMap<String, Cells>, serde_json::Error> {
    let stat: Stat = serde_json::from_str(text)?;
    let plain = |name: &str| name.rsplit('\\').next().unwrap_or(name).to_owned();
    let cells = |cells: Cells| cells.into_iter().map(|(kind, n)| (plain(&kind), n)).collect();
    Ok(stat.modules.into_iter().map(|(name, m)| (plain(&name), cells(m.num_cells_by_type))).collect())
}

/// Synthesizes designs; a module whose file it has seen before is not synthesized again.
#[derive(Debug)]
pub struct Synthesis {
    program: PathBuf,
    seen: BTreeMap<String, (String, Cells)>,
}

impl Synthesis {
    /// By a program.
    pub fn new(program: PathBuf) -> Self {
        Self { program, seen: BTreeMap::new() }
    }

    /// Names of the modules that have to be synthesized: files that were not seen before, and all above them, for Yosys
    /// finds a module only from the top down.
    fn wanted<'f>(&self, files: &[&'f VerilogFile]) -> BTreeSet<&'f str> {
        let same = |f: &&VerilogFile| self.seen.get(module(f)).filter(|(text, _)| *text == f.text);
        let mut wanted: BTreeSet<&str> = files.iter().filter(|f| same(f).is_none()).map(|f| module(f)).collect();
        // Leaves come first, so parents of wanted modules are met behind them.
        for file in files {
            let holds = |(_, cells): &(String, Cells)| cells.keys().any(|cell| wanted.contains(cell.as_str()));
            if same(file).is_some_and(holds) {
                wanted.insert(module(file));
            }
        }
        wanted
    }

    /// The cells of every module of a printed design. Primitives are left to Yosys' own library.
    ///
    /// # Errors
    /// The program does not run or objects.
    pub fn cells(&mut self, verilog: &[VerilogFile], top: &str) -> Result<BTreeMap<String, Cells>, GenError> {
        let files: Vec<&VerilogFile> = verilog.iter().filter(|f| !f.simulation_only).collect();
        let names = self.wanted(&files);
        let (wanted, known): (Vec<_>, Vec<_>) = files.iter().partition(|f| names.contains(module(f)));
        if wanted.is_empty() {
            let known: BTreeSet<&str> = files.iter().map(|f| module(f)).collect();
            return Ok(self.collect(&known));
        }
        let fresh = self.synthesize(&files, &wanted, &known, top)?;
        for file in &wanted {
            let cells = fresh.get(module(file)).cloned().unwrap_or_default();
            self.seen.insert(module(file).to_owned(), (file.text.clone(), cells));
        }
        Ok(self.collect(&files.iter().map(|f| module(f)).collect()))
    }

    fn collect(&self, names: &BTreeSet<&str>) -> BTreeMap<String, Cells> {
        let wanted = self.seen.iter().filter(|(name, _)| names.contains(name.as_str()));
        wanted.map(|(name, (_, cells))| (name.clone(), cells.clone())).collect()
    }

    fn synthesize(
        &self,
        files: &[&VerilogFile],
        wanted: &[&VerilogFile],
        known: &[&VerilogFile],
        top: &str,
    ) -> Result<BTreeMap<String, Cells>, GenError> {
        let folder = tempfile::tempdir().map_err(|e| GenError::stage("resources", e))?;
        for file in files {
            files::write(&folder.path().join(&file.name), file.text.as_bytes())?;
        }
        files::write(&folder.path().join("resources.ys"), script(top, wanted, known).as_bytes())?;
        let refused = |problem: String| GenError::file(&self.program, problem, REMEDY);
        let mut command = Command::new(&self.program);
        command.args(["-q", "-s", "resources.ys"]).current_dir(folder.path()).stdin(Stdio::null());
        let output = command.output().map_err(|e| refused(format!("cannot be run: {e}")))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let last = said.lines().rev().find(|l| l.contains("ERROR")).or(said.lines().last()).unwrap_or("nothing");
            return Err(refused(format!("it failed and said: {last}")));
        }
        let text = files::read_text(&folder.path().join("cells.json"))?;
        parse(&text).map_err(|e| refused(format!("its statistics cannot be read: {e}")))
    }
}

/// The module in a file.
fn module(file: &VerilogFile) -> &str {
    file.name.strip_suffix(".v").unwrap_or(&file.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_looked_for_on_the_path_first() {
        let folder = tempfile::tempdir().unwrap();
        let (path, kit) = (folder.path().join("bin"), folder.path().join("repository/.tools/bin"));
        let deep = folder.path().join("repository/target/debug");
        for place in [&path, &kit, &deep] {
            std::fs::create_dir_all(place).unwrap();
        }
        assert_eq!(locate(path.as_os_str(), &[Some(&deep)]), None);
        std::fs::write(kit.join("yosys"), "").unwrap();
        assert_eq!(locate(path.as_os_str(), &[None, Some(&deep)]), Some(kit.join("yosys")));
        std::fs::write(path.join("yosys"), "").unwrap();
        assert_eq!(locate(path.as_os_str(), &[Some(&deep)]), Some(path.join("yosys")));
    }

    #[test]
    fn modules_above_a_new_one_are_synthesized_again() {
        let file = |name: &str, text: &str| VerilogFile {
            name: format!("{name}.v"),
            text: text.to_owned(),
            simulation_only: false,
        };
        let mut synthesis = Synthesis::new(PathBuf::from("yosys"));
        for (name, child) in [("leaf", "LUT2"), ("other", "FDRE"), ("middle", "leaf"), ("top", "middle")] {
            let cells = Cells::from([(child.to_owned(), 1)]);
            synthesis.seen.insert(name.to_owned(), (name.to_owned(), cells));
        }
        let files = [file("leaf", "changed"), file("other", "other"), file("middle", "middle"), file("top", "top")];
        let files: Vec<&VerilogFile> = files.iter().collect();
        assert_eq!(synthesis.wanted(&files), BTreeSet::from(["leaf", "middle", "top"]));
        assert!(synthesis.wanted(&files[1..]).is_empty());
    }

    #[test]
    fn statistics_are_read_by_plain_names() {
        let text = r#"{"creator": "Yosys", "modules": {
            "\\top": {"num_wires": 3, "num_cells_by_type": {"$paramod$abc\\fifo": 2, "LUT6": 7}},
            "$paramod$abc\\fifo": {"num_cells_by_type": {}}}}"#;
        let found = parse(text).unwrap();
        assert_eq!(found["top"], Cells::from([("fifo".to_owned(), 2), ("LUT6".to_owned(), 7)]));
        assert!(found["fifo"].is_empty());
        assert!(parse("{").is_err());
    }

    #[test]
    fn a_program_that_cannot_be_run_is_named_with_the_remedy() {
        let missing = find(Some(Path::new("/no/such/yosys"))).unwrap();
        let file =
            VerilogFile { name: "a.v".to_owned(), text: "module a; endmodule\n".to_owned(), simulation_only: false };
        let error = Synthesis::new(missing).cells(&[file], "a").unwrap_err();
        let expected = "/no/such/yosys: cannot be run: No such file or directory (os error 2); run \
                        scripts/install-tools in the repository, or name the program with --yosys PROGRAM";
        assert_eq!(error.to_string(), expected);
    }
}
