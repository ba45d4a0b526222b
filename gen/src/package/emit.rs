//! From the artefacts of the pipeline to the files of the output folder.

use super::Package;
use super::readme::readme;
use crate::error::GenError;
use crate::layout::Layout;
use crate::vivado;
use heatvit_model::config::Config;
use heatvit_rtl::verilog::VerilogFile;

/// Bytes of a region, port by port.
pub type PortImages = [Vec<u8>; 4];

/// Everything that goes into an output folder.
#[derive(Clone, Debug)]
pub struct Emission<'a> {
    /// The completed configuration.
    pub config: &'a Config,
    /// Where images lie in memory.
    pub layout: &'a Layout,
    /// The design, leaves first.
    pub verilog: &'a [VerilogFile],
    /// Program with weights.
    pub program: &'a PortImages,
    /// An input image.
    pub image: &'a PortImages,
}

/// Collects the folder, manifest included.
///
/// # Errors
/// None in practice: the configuration always has a TOML form.
pub fn emit(emission: &Emission<'_>) -> Result<Package, GenError> {
    let Emission { config, layout, verilog, program, image } = emission;
    let mut package = Package::new();
    for file in *verilog {
        let folder = if file.simulation_only { "sim" } else { "rtl" };
        package.add(format!("{folder}/{}", file.name), file.text.as_str());
    }
    let names: Vec<String> = verilog.iter().filter(|f| !f.simulation_only).map(|f| f.name.clone()).collect();
    package.add("settings.tcl", vivado::settings(config, layout, &names));
    for (path, text) in vivado::STATIC_FILES {
        package.add(path, text);
    }
    for (name, ports) in [("program", program), ("image", image)] {
        for (port, bytes) in ports.iter().enumerate() {
            package.add(format!("images/{name}.p{port}.bin"), bytes.as_slice());
        }
    }
    package.add("README.md", readme(config, layout));
    let text = config.to_toml().map_err(|e| GenError::stage("package", e))?;
    package.add("config.toml", text.as_str());
    package.seal(&config.name, &text);
    Ok(package)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tiny() -> Package {
        let text = "[model]\nimage = 8\nchannels = 1\npatch = 4\nembed = 32\ndepth = 1\nheads = 2\nclasses = 3\n";
        let config = Config::parse("tiny.toml", text).unwrap();
        let file = |name: &str, simulation_only| VerilogFile {
            name: name.to_owned(),
            text: format!("// {name}\n"),
            simulation_only,
        };
        let verilog = [file("dsp48e2.v", true), file("post_lane.v", false), file("heatvit_top.v", false)];
        let (program, image) =
            (std::array::from_fn(|p| vec![p as u8; 5000]), std::array::from_fn(|p| vec![p as u8; 512]));
        let layout = Layout::new(crate::layout::BOARD_BASE, 512, 5000, 1);
        let emission =
            Emission { config: &config, layout: &layout, verilog: &verilog, program: &program, image: &image };
        emit(&emission).unwrap()
    }

    fn file(package: &Package, path: &str) -> String {
        let bytes = package.files().find(|(name, _)| *name == path).unwrap().1;
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn settings_manifest_and_readme_are_as_approved() {
        let package = tiny();
        insta::assert_snapshot!("settings", file(&package, "settings.tcl"));
        insta::assert_snapshot!("readme", file(&package, "README.md"));
        insta::assert_snapshot!("build", file(&package, "build.tcl"));
        // The version of the tool is the only thing in it that changes without a change of the output.
        insta::assert_snapshot!(
            "manifest",
            file(&package, "manifest.json").replace(env!("CARGO_PKG_VERSION"), "VERSION")
        );
    }

    #[test]
    fn two_emissions_are_equal() {
        assert_eq!(tiny(), tiny());
    }
}
