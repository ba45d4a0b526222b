//! Does scripts/pth-to-safetensors make of a checkpoint what PyTorch put into it, and refuse the rest in one line?
//! `checkpoints/` holds what PyTorch wrote; `scripts/oracle/run checkpoints` makes it again.

use half::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/pth-to-safetensors");
const CHECKPOINTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/checkpoints");
const FORMS: [&str; 2] = ["pth", "legacy.pth"];

type Tensor = (Dtype, Vec<usize>, Vec<f64>);
type Tensors = BTreeMap<String, Tensor>;

/// How the script ended.
struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

fn convert(options: &[&str], source: &Path, target: &Path) -> Ended {
    let run = Command::new(SCRIPT).args(options).args([source, target]).output().expect("python3 is missing");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the script prints text");
    Ended { code: run.status.code(), stdout: text(run.stdout), stderr: text(run.stderr) }
}

fn checkpoint(name: &str) -> PathBuf {
    Path::new(CHECKPOINTS).join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(checkpoint(name)).expect("the checkpoint is committed")
}

fn element(dtype: Dtype, bytes: &[u8]) -> f64 {
    fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
        bytes.try_into().expect("an element has the size of its type")
    }
    match dtype {
        Dtype::F64 => f64::from_le_bytes(array(bytes)),
        Dtype::F32 => f32::from_le_bytes(array(bytes)).into(),
        Dtype::F16 => f16::from_le_bytes(array(bytes)).into(),
        Dtype::BF16 => bf16::from_le_bytes(array(bytes)).into(),
        Dtype::I64 => i32::try_from(i64::from_le_bytes(array(bytes))).expect("the numbers are small").into(),
        Dtype::I32 => i32::from_le_bytes(array(bytes)).into(),
        Dtype::I16 => i16::from_le_bytes(array(bytes)).into(),
        Dtype::I8 => i8::from_le_bytes(array(bytes)).into(),
        Dtype::U8 | Dtype::BOOL => u8::from_le_bytes(array(bytes)).into(),
        other => panic!("{other:?}"),
    }
}

fn tensor(view: &TensorView) -> Tensor {
    let size = view.dtype().bitsize() / 8;
    let values = view.data().chunks_exact(size).map(|bytes| element(view.dtype(), bytes));
    (view.dtype(), view.shape().to_vec(), values.collect())
}

/// The tensors that the script makes of a checkpoint, and what it says on the way.
fn converted(options: &[&str], source: &Path) -> Result<(Tensors, String), String> {
    let folder = tempfile::tempdir().map_err(|e| e.to_string())?;
    let target = folder.path().join("out.safetensors");
    let ended = convert(options, source, &target);
    if ended.code != Some(0) {
        return Err(ended.stderr);
    }
    let file = std::fs::read(&target).map_err(|e| e.to_string())?;
    let found = SafeTensors::deserialize(&file).map_err(|e| e.to_string())?;
    let tensors: Tensors = found.iter().map(|(name, view)| (name.to_owned(), tensor(&view))).collect();
    let summary = format!("{}: {} tensors, {} bytes\n", target.display(), tensors.len(), file.len());
    assert_eq!(ended.stdout, summary);
    assert_eq!(names(folder.path()), ["out.safetensors"]);
    Ok((tensors, ended.stderr))
}

/// What is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder is there").flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A tensor whose elements are told by their indices.
fn grid<const N: usize>(dtype: Dtype, shape: [usize; N], value: fn([usize; N]) -> u32) -> Tensor {
    let values = (0..shape.iter().product()).map(|mut flat: usize| {
        let mut index = [0; N];
        for axis in (0..N).rev() {
            index[axis] = flat % shape[axis];
            flat /= shape[axis];
        }
        f64::from(value(index))
    });
    (dtype, shape.to_vec(), values.collect())
}

fn number(indices: &[usize], weights: &[usize]) -> u32 {
    let sum: usize = indices.iter().zip(weights).map(|(i, w)| i * w).sum();
    u32::try_from(sum).expect("the numbers are small")
}

/// Compares both forms of a checkpoint with what was put into it.
fn compare(name: &str, expected: &[(&str, Tensor)]) {
    let expected: Tensors = expected.iter().map(|(name, tensor)| ((*name).to_owned(), tensor.clone())).collect();
    for form in FORMS {
        let source = checkpoint(&format!("{name}.{form}"));
        let (found, said) = converted(&[], &source).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(found, expected, "{name}.{form}");
        assert_eq!(said, "");
    }
}

#[test]
fn types_stay() {
    let ramp = |dtype| grid(dtype, [2, 3], |i| number(&i, &[3, 1]));
    compare(
        "types",
        &[
            ("float64", ramp(Dtype::F64)),
            ("float32", ramp(Dtype::F32)),
            ("float16", ramp(Dtype::F16)),
            ("bfloat16", ramp(Dtype::BF16)),
            ("int64", ramp(Dtype::I64)),
            ("int32", ramp(Dtype::I32)),
            ("int16", ramp(Dtype::I16)),
            ("int8", ramp(Dtype::I8)),
            ("uint8", ramp(Dtype::U8)),
            ("bool", grid(Dtype::BOOL, [2, 3], |i| number(&i, &[3, 1]).min(1))),
            ("scalar", grid(Dtype::F32, [], |_| 7)),
            ("empty", grid(Dtype::F32, [0, 3], |_| 0)),
        ],
    );
}

#[test]
fn views_become_rows() {
    let f32 = Dtype::F32;
    compare(
        "views",
        &[
            ("whole", grid(f32, [4, 6], |i| number(&i, &[6, 1]))),
            ("transposed", grid(f32, [6, 4], |i| number(&i, &[1, 6]))),
            ("offset", grid(f32, [2, 3], |i| 8 + number(&i, &[6, 1]))),
            ("steps", grid(f32, [2, 2], |i| 1 + number(&i, &[12, 3]))),
            ("repeated", grid(f32, [3], |_| 8)),
            ("permuted", grid(f32, [2, 2, 2, 3], |i| number(&i, &[2, 12, 1, 4]))),
            ("channels_last", grid(f32, [2, 3, 2, 2], |i| number(&i, &[12, 4, 2, 1]))),
            ("parameter", grid(f32, [6], |i| 18 + number(&i, &[1]))),
            ("half", grid(Dtype::F16, [5, 3], |i| number(&i, &[1, 5]))),
            ("bfloat16", grid(Dtype::BF16, [3], |i| 1 + number(&i, &[5]))),
        ],
    );
}

/// The weights that several of the checkpoints have, plus a number.
fn network(added: f64) -> Tensors {
    let weight = (0..6).map(|i| f64::from(i) + added).collect();
    let bias = vec![10.0 + added, 11.0 + added];
    [("weight", vec![2, 3], weight), ("bias", vec![2], bias)]
        .map(|(name, shape, values)| (name.to_owned(), (Dtype::F32, shape, values)))
        .into()
}

#[test]
fn weights_are_found_where_trainers_put_them() {
    for form in FORMS {
        let deit = checkpoint(&format!("deit.{form}"));
        let note = format!("pth-to-safetensors: {}: takes `model`; --key takes another: model_ema\n", deit.display());
        assert_eq!(converted(&[], &deit), Ok((network(0.0), note)));
        assert_eq!(converted(&["--key", "model"], &deit), Ok((network(0.0), String::new())));
        assert_eq!(converted(&["--key", "model_ema"], &deit), Ok((network(100.0), String::new())));
        // Of several devices: without `module.`.
        let parallel = checkpoint(&format!("parallel.{form}"));
        assert_eq!(converted(&[], &parallel), Ok((network(0.0), String::new())));
        let other = checkpoint(&format!("other_key.{form}"));
        assert_eq!(converted(&["--key", "net"], &other), Ok((network(0.0), String::new())));
    }
}

/// The line of a refusal, with FILE for the file that it names.
fn refusal(options: &[&str], source: &Path, target: &Path, named: &Path) -> Result<String, String> {
    let ended = convert(options, source, target);
    let line = ended.stderr.strip_prefix(&format!("pth-to-safetensors: error: {}: ", named.display()));
    match line {
        Some(line) if ended.code == Some(2) && line.lines().count() == 1 && line.contains("; ") => {
            Ok(format!("FILE: {}", line.trim_end()))
        }
        _ => Err(format!("{:?} {}{}", ended.code, ended.stdout, ended.stderr)),
    }
}

/// A copy of a checkpoint's bytes with one sequence in another's place.
fn edited(name: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    let file = bytes(name);
    let at = file.windows(from.len()).position(|window| window == from).expect("the checkpoint has it");
    [&file[..at], to, &file[at + from.len()..]].concat()
}

/// A file of the form before 1.6 around a pickle.
fn legacy(pickle: &[u8]) -> Vec<u8> {
    let start = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";
    [start, pickle, b"\x80\x02]."].concat()
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [file, target] = ["file", "out"].map(|name| folder.path().join(name));
    let huge = [b"\x8a\x08".as_slice(), &(1i64 << 62).to_le_bytes(), b"K\x03\x86"].concat();
    let shape = |to: &[u8]| edited("types.legacy.pth", b"K\x02K\x03\x86", to);
    let strides = |to: &[u8]| edited("types.legacy.pth", b"K\x03K\x01\x86", to);
    let big_endian = edited("types.legacy.pth", b"little_endianq\x02\x88", b"little_endianq\x02\x89");
    let cases = [
        ("empty", Vec::new()),
        ("text", b"<!DOCTYPE html>".to_vec()),
        ("safetensors", b"\x02\0\0\0\0\0\0\0{}".to_vec()),
        ("an empty zip archive", b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()),
        ("a zip archive that is cut off", bytes("types.pth")[..2000].to_vec()),
        ("TorchScript", bytes("script.pth")),
        ("a whole module", bytes("module.pth")),
        ("a whole module, legacy", bytes("module.legacy.pth")),
        ("another key", bytes("other_key.pth")),
        ("a sparse tensor", bytes("sparse.pth")),
        ("a shape beyond the storage", shape(b"K\x02K\xff\x86")),
        ("a huge shape", shape(&huge)),
        ("a negative shape", shape(b"J\xfe\xff\xff\xffK\x03\x86")),
        ("a negative stride", strides(b"J\xfd\xff\xff\xffK\x01\x86")),
        ("a stride beyond the storage", strides(b"J\xff\xff\xff\x7fK\x01\x86")),
        ("a place in the memo beyond memory", legacy(b"\x80\x02}r\xf0\xff\xff\xff.")),
        ("a byte array beyond memory", legacy(b"\x80\x05\x96\0\0\0\0\0\x01\0\0.")),
        ("a dictionary of nothing", legacy(b"\x80\x02}.")),
        ("big-endian", big_endian),
    ];
    let mut text = String::new();
    for (what, content) in &cases {
        std::fs::write(&file, content).unwrap();
        let line = refusal(&[], &file, &target, &file).unwrap_or_else(|e| panic!("{what}: {e}"));
        writeln!(text, "{what}: {line}").unwrap();
        assert_eq!(names(folder.path()), ["file"], "{what}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn false_places_and_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [file, link, old] = ["file", "link", "old"].map(|name| folder.path().join(name));
    std::fs::write(&file, bytes("deit.pth")).unwrap();
    std::fs::write(&old, "kept").unwrap();
    std::os::unix::fs::symlink("file", &link).unwrap();
    let nowhere = folder.path().join("nowhere/out");
    let folder = folder.path();
    let cases: [(&str, &[&str], &Path, &Path, &Path); 7] = [
        ("no such checkpoint", &[], &nowhere, &old, &nowhere),
        ("a folder for a checkpoint", &[], folder, &old, folder),
        ("the output is the input", &[], &file, &file, &file),
        ("the output is a link to the input", &[], &file, &link, &link),
        ("the output is a folder", &[], &file, folder, folder),
        ("no folder for the output", &[], &file, &nowhere, &nowhere),
        ("no such key", &["--key", "ema"], &file, &old, &file),
    ];
    let mut text = String::new();
    for (what, options, source, target, named) in cases {
        let line = refusal(options, source, target, named).unwrap_or_else(|e| panic!("{what}: {e}"));
        writeln!(text, "{what}: {line}").unwrap();
    }
    insta::assert_snapshot!(text);
    assert_eq!(names(folder), ["file", "link", "old"]);
    assert_eq!((std::fs::read(&file).unwrap(), std::fs::read(&old).unwrap()), (bytes("deit.pth"), b"kept".to_vec()));
}

#[test]
fn a_failed_write_leaves_the_old_file_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("old");
    std::fs::write(&old, "kept").unwrap();
    // No file may grow, as on a full disk.
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 0; exec \"$@\"", "sh", SCRIPT]).args([&checkpoint("types.pth"), &old]);
    let ended = limited.output().unwrap();
    let expected =
        format!("pth-to-safetensors: error: {}: File too large; check the path and the disk\n", old.display());
    assert_eq!((ended.status.code(), String::from_utf8(ended.stderr).unwrap()), (Some(2), expected));
    assert_eq!((names(folder.path()), std::fs::read(&old).unwrap()), (vec!["old".to_owned()], b"kept".to_vec()));
}

#[test]
fn nothing_that_a_checkpoint_names_is_run() {
    let folder = tempfile::tempdir().unwrap();
    let [file, target, made] = ["file", "out", "made"].map(|name| folder.path().join(name));
    let path = made.to_str().unwrap();
    let length = u32::try_from(path.len()).unwrap().to_le_bytes();
    // open(path, "w")
    let pickle = [b"\x80\x02cbuiltins\nopen\nX".as_slice(), &length, path.as_bytes(), b"X\x01\0\0\0w\x86R."].concat();
    std::fs::write(&file, legacy(&pickle)).unwrap();
    let line = refusal(&[], &file, &target, &file).unwrap();
    assert!(line.starts_with("FILE: it holds a whole builtins.open"), "{line}");
    assert_eq!(names(folder.path()), ["file"]);
}

/// A damaged checkpoint is refused or, where no weight depends on the byte, converted.
fn survives(folder: &Path, content: &[u8]) -> Result<bool, String> {
    let [file, target] = ["file", "out"].map(|name| folder.join(name));
    std::fs::write(&file, content).map_err(|e| e.to_string())?;
    let ended = convert(&["--key", "model"], &file, &target);
    if ended.code == Some(0) {
        return std::fs::remove_file(&target).map(|()| true).map_err(|e| e.to_string());
    }
    let start = format!("pth-to-safetensors: error: {}: ", file.display());
    let sound = ended.code == Some(2) && ended.stderr.starts_with(&start) && ended.stderr.lines().count() == 1;
    if sound && names(folder) == ["file"] { Ok(false) } else { Err(format!("{:?} {}", ended.code, ended.stderr)) }
}

#[test]
fn damaged_files_are_refused() {
    for form in FORMS {
        let whole = bytes(&format!("deit.{form}"));
        let folder = tempfile::tempdir().unwrap();
        for i in 0..12 {
            let length = whole.len() * i / 12 + i;
            assert_eq!(survives(folder.path(), &whole[..length]), Ok(false), "{form}, cut at {length}");
        }
        assert_eq!(survives(folder.path(), &whole[..whole.len() - 1]), Ok(false));
        for i in 0..16 {
            let mut flipped = whole.clone();
            let at = whole.len() * i / 16 + 5 * i;
            flipped[at] ^= 0xff;
            survives(folder.path(), &flipped).unwrap_or_else(|e| panic!("{form}, byte {at}: {e}"));
        }
    }
}
