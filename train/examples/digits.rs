use heatvit_train::*;
fn main() {
    let digits = heatvit_model::data::Digits::from_bytes(&std::fs::read("data/digits/digits.bin").unwrap()).unwrap();
    let a: Vec<String> = std::env::args().collect();
    let get = |k: &str, d: f64| a.iter().find_map(|x| x.strip_prefix(&format!("{k}="))).map_or(d, |v| v.parse().unwrap());
    let shape = NetworkShape { embed: get("embed", 64.) as usize, depth: 6, heads: get("heads", 4.) as usize, hidden: get("hidden", 256.) as usize, eps: 1e-6 };
    let d = TrainConfig::default();
    let config = TrainConfig { epochs: get("epochs", 120.) as u32, batch: get("batch", 32.) as u32, learning_rate: get("lr", 1e-3), sparse_epochs: get("sparse", 90.) as u32, sparse_patches: get("patches", 40.) as u32, weight_decay: get("wd", 0.05), label_smoothing: get("ls", 0.1), warmup_epochs: get("warmup", 5.) as u32, ..d };
    let t = train(&shape, &config, &digits, &mut |p| println!("{p:?}")).unwrap();
    let out = a.iter().find_map(|x| x.strip_prefix("out=")).unwrap_or("/tmp/out");
    std::fs::write(format!("{out}.safetensors"), &t.weights).unwrap();
    std::fs::write(format!("{out}.training.json"), t.report.to_json()).unwrap();
    println!("validation {} test {} best {}", t.report.validation_accuracy, t.report.test_accuracy, t.report.best_epoch);
}
