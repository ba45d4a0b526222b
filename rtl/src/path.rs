//! Hierarchical names, as in `pairs[3].segments[0].sums`.

/// The path of something by its name within an instance; the top has the empty path.
pub fn path_within(instance: &str, name: &str) -> String {
    let dot = if instance.is_empty() { "" } else { "." };
    format!("{instance}{dot}{name}")
}
