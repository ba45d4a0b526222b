use heatvit_model::data::Digits;
use heatvit_train::*;
use std::fs;
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let digits = Digits::from_bytes(&fs::read("data/digits/digits.bin")?)?;
    let shape = NetworkShape { embed: 64, depth: 6, heads: 4, hidden: 128, eps: 1e-6 };
    let args: Vec<String> = std::env::args().collect();
    let config: FineTuneConfig = serde_json::from_str(&args[1])?;
    let spec: SelectorSpec = serde_json::from_str(&args[2])?;
    let dense = fs::read("weights/digits.safetensors")?;
    let start = std::time::Instant::now();
    let tuned = fine_tune(&shape, &config, &spec, &dense, &digits, &mut |p| {
        println!("{:.0}s {} loss {:.4} kept {:.3?} {:.0}/s {}", start.elapsed().as_secs_f64(), p.point.epoch, p.point.loss, p.point.kept, p.images_per_second,
          p.point.validation.as_ref().map_or(String::new(), |v| format!("acc {:.4} mean {:.1?} dev {:.1?} digit {:.3} back {:.3}", v.accuracy, v.kept_mean, v.kept_deviation, v.digit_kept, v.background_kept)));
    })?;
    fs::write(&args[3], &tuned.weights)?;
    Ok(())
}
