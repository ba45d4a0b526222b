//! Opening a safetensors file that may be damaged or hostile.

use safetensors::SafeTensors;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The one metadata entry of our files; a single entry keeps the header byte-identical.
pub(crate) const METADATA_KEY: &str = "heatvit";

#[derive(Deserialize)]
struct Entry {
    data_offsets: Option<(u64, u64)>,
}

/// Views into `bytes` and the metadata; nothing is copied, so a false size cannot cost memory.
pub(crate) fn open(bytes: &[u8]) -> Result<(SafeTensors<'_>, Option<String>), String> {
    check_offsets(bytes)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| e.to_string())?;
    let text = header.metadata().as_ref().and_then(|m| m.get(METADATA_KEY)).cloned();
    Ok((tensors, text))
}

/// Whether a file that is no safetensors file is what `torch.save` writes: a zip archive, or a pickle of older versions.
pub(crate) fn is_pytorch(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || matches!(bytes, [0x80, 2..=5, ..])
}

/// The library adds offsets to the header's length unchecked: offsets beyond the file are refused before.
fn check_offsets(bytes: &[u8]) -> Result<(), String> {
    let (size, rest) = bytes.split_first_chunk::<8>().ok_or("the file is shorter than its header")?;
    let size = usize::try_from(u64::from_le_bytes(*size)).map_err(|_| "the header's length is out of range")?;
    let header = rest.get(..size).ok_or("the header is longer than the file")?;
    let entries: BTreeMap<String, Entry> =
        serde_json::from_slice(header).map_err(|e| format!("the header is not the expected JSON ({e})"))?;
    for (name, entry) in entries {
        if entry.data_offsets.is_some_and(|(_, end)| end > bytes.len() as u64) {
            return Err(format!("tensor `{name}` ends beyond the file"));
        }
    }
    Ok(())
}
