//! Progress on stderr: a bar with an ETA on a terminal, nothing elsewhere.

use heatvit_model::quant::Progress;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A bar over `total` steps. It hides itself where stderr is not a terminal.
pub fn bar(what: &'static str, total: usize) -> ProgressBar {
    shown(styled(what, total as u64, "{prefix:>12} {bar:32} {pos}/{len} {msg} ETA {eta}"))
}

/// A bar at one of several stages, whose name it shows.
pub fn stage(what: &'static str, name: &'static str, done: usize, total: usize) -> ProgressBar {
    let bar = styled(what, total as u64, "{prefix:>12} {bar:32} {pos}/{len} {msg}");
    bar.set_message(name);
    bar.set_position(done as u64);
    shown(bar)
}

/// Shows a bar that is ready to be seen.
fn shown(bar: ProgressBar) -> ProgressBar {
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// A bar that is not shown yet.
fn styled(what: &'static str, total: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template(template).expect("the template is legal");
    bar.set_style(style.with_key("cycles_per_second", |state: &ProgressState, text: &mut dyn Write| {
        // What cannot be written is not shown.
        let _ = write!(text, "{} cycles/s", HumanCount(state.per_sec() as u64));
    }));
    bar.set_prefix(what);
    bar
}

/// A bar over the cycles of simulated images, which may run at the same time.
#[derive(Debug)]
pub struct CycleBar {
    bar: ProgressBar,
    images: u64,
    /// Images that are done, and their cycles.
    done: Mutex<(u64, u64)>,
}

impl CycleBar {
    /// Of `images` images that take about `expected` cycles each; the first that is done tells it better.
    pub fn new(what: &'static str, images: usize, expected: u64) -> Self {
        let images = images as u64;
        let template = "{prefix:>12} {bar:32} {msg} {human_pos}/{human_len} {cycles_per_second} ETA {eta}";
        let bar = styled(what, images * expected, template);
        bar.set_message(format!("image 0/{images}"));
        Self { bar: shown(bar), images, done: Mutex::new((0, 0)) }
    }

    /// Not shown.
    pub fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), images: 1, done: Mutex::new((0, 0)) }
    }

    /// So many cycles have passed.
    pub fn passed(&self, cycles: u64) {
        self.bar.inc(cycles);
    }

    /// An image took so many cycles: so many are expected of the others.
    pub fn image_done(&self, cycles: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done = (done.0 + 1, done.1 + cycles);
        self.bar.set_length(self.images * done.1 / done.0);
        self.bar.set_message(format!("image {}/{}", done.0, self.images));
    }
}

impl Drop for CycleBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar that starts again with each phase of a work.
#[derive(Debug)]
pub struct PhaseBar(ProgressBar);

impl PhaseBar {
    /// Before the first phase, with which it appears.
    pub fn new() -> Self {
        Self(styled("", 0, "{prefix:>12} {bar:32} {pos}/{len} {msg} ETA {eta}"))
    }

    /// So far the work has come.
    pub fn tell(&self, progress: Progress) {
        self.0.update(|state| {
            state.set_len(progress.total as u64);
            state.set_pos(progress.done as u64);
        });
        if progress.done == 0 {
            let first = self.0.prefix().is_empty();
            self.0.set_prefix(progress.phase.name());
            self.0.reset_eta();
            if first {
                shown(self.0.clone());
            }
        }
    }
}

impl Default for PhaseBar {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for PhaseBar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heatvit_model::quant::Phase;

    #[test]
    fn each_phase_starts_at_zero() {
        let bar = PhaseBar::new();
        for (phase, total) in [(Phase::Sampling, 3), (Phase::Rounding, 12)] {
            for done in 0..=total {
                bar.tell(Progress { phase, done, total });
            }
            assert_eq!((bar.0.prefix(), bar.0.position()), (phase.name().to_owned(), total as u64));
        }
    }

    #[test]
    fn the_length_is_that_of_the_images_so_far() {
        let bar = CycleBar::new("simulating", 4, 1_000);
        assert_eq!(bar.bar.length(), Some(4_000));
        bar.passed(500);
        bar.image_done(600);
        assert_eq!((bar.bar.position(), bar.bar.length()), (500, Some(2_400)));
        bar.image_done(1_000);
        assert_eq!(bar.bar.length(), Some(3_200));
    }
}
