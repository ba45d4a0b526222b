//! Progress on stderr: a bar with an ETA on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::Duration;

/// A bar over `total` steps. It hides itself where stderr is not a terminal.
pub fn bar(what: &'static str, total: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{prefix:>12} {bar:32} {pos}/{len} {msg} ETA {eta}");
    bar.set_style(style.expect("the template is legal"));
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
