use super::*;

const DIGITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/digits.toml");
const PHOTOS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/photos");
const SMALL: &str = "[model]\nimage = 32\nchannels = 3\npatch = 8\nembed = 8\ndepth = 1\nheads = 1\nclasses = 1000\n";

fn small() -> Config {
    Config::parse("a.toml", SMALL).unwrap()
}

fn open(config: &Config, images: &Path, labels: Option<&Path>) -> Result<DataSet, GenError> {
    let choice = Choice { images: Some(images.to_owned()), labels: labels.map(Path::to_owned), tensor: None };
    DataSet::open(Path::new("a.toml"), config, &choice)
}

#[test]
fn the_digits_open_by_the_configurations_path() {
    let path = Path::new(DIGITS);
    let config = crate::pipeline::load_config(path).unwrap();
    let set = DataSet::open(path, &config, &Choice::default()).unwrap();
    assert_eq!((set.len(), set.test(Some(7)).unwrap().len()), (1080, 7));
    let calibration = set.calibration(1300).unwrap();
    assert_eq!(calibration.len(), 1300);
    assert_eq!(set.calibration(5).unwrap(), calibration[..5]);
}

#[test]
fn a_network_for_other_images_is_refused() {
    let text = "[model]\npreset = \"deit_tiny\"\n[data]\nkind = \"digits\"\nfile = \"x\"\n";
    let config = Config::parse("a.toml", text).unwrap();
    let error = DataSet::open(Path::new("a.toml"), &config, &Choice::default()).unwrap_err().to_string();
    assert_eq!(
        error,
        "a.toml: the digits are 36x36x1 with 10 classes, [model] says 224x224x3 with 1000; change [model] or [data]"
    );
}

#[test]
fn a_flat_folder_has_no_classes_and_a_list_has_them() {
    let photos = Path::new(PHOTOS);
    let flat = open(&small(), photos, None).unwrap();
    assert_eq!(flat.len(), 8);
    let list = photos.join("labels.txt");
    let listed = open(&small(), photos, Some(&list)).unwrap();
    for index in 0..8 {
        let (flat, listed) = (flat.image(index).unwrap(), listed.image(index).unwrap());
        assert_eq!(flat.pixels, listed.pixels);
        assert_eq!((flat.about.label, listed.about.label.is_some()), (None, true));
    }
    assert_eq!(listed.image(2).unwrap().about.label, Some(872));
    let text = std::fs::read_to_string(&list).unwrap();
    assert_eq!(text.lines().nth(2), Some("camera.png 872"));
    assert_eq!(listed.calibration(4).unwrap()[1], listed.image(2).unwrap());
}

#[test]
fn folders_are_classes_in_the_order_of_their_names() {
    let folder = tempfile::tempdir().unwrap();
    for (name, photo) in [("n02/b.JPEG", "china.jpg"), ("n01/x/y.png", "camera.png"), ("n10/a.jpg", "coffee.jpg")] {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::copy(Path::new(PHOTOS).join(photo), file).unwrap();
    }
    std::fs::write(folder.path().join("n01/.hidden.png"), "x").unwrap();
    std::fs::write(folder.path().join("n01/notes.txt"), "x").unwrap();
    let set = open(&small(), folder.path(), None).unwrap();
    let labels: Vec<_> = set.test(None).unwrap().into_iter().map(|i| i.about.label.unwrap()).collect();
    assert_eq!((labels, set.class_folders()), (vec![0, 1, 2], Some(3)));
    let few = Config::parse("a.toml", &SMALL.replace("1000", "2")).unwrap();
    let said = open(&few, folder.path(), None).unwrap_err().to_string();
    assert!(
        said.ends_with(
            "it has 3 class folders, the network has 2 classes; change `classes` in [model] or use --labels"
        )
    );
    std::fs::copy(Path::new(PHOTOS).join("china.jpg"), folder.path().join("z.jpg")).unwrap();
    let said = open(&small(), folder.path(), None).unwrap_err().to_string();
    assert!(said.contains("z.jpg: it lies beside class folders; move it into one"), "{said}");
}

#[test]
fn a_tensor_of_the_preprocessed_photographs_is_the_photographs() {
    let config = small();
    let folder = open(&config, Path::new(PHOTOS), None).unwrap();
    let mut values = Vec::new();
    let (mean, deviation) = (&config.input.mean, &config.input.deviation);
    for image in folder.test(None).unwrap() {
        let bytes = image.pixels.to_bytes();
        for c in 0..3 {
            let plane = bytes.iter().skip(c).step_by(3);
            values.extend(plane.map(|p| ((f64::from(*p) / 255.0 - mean[c]) / deviation[c]) as f32));
        }
    }
    let place = tempfile::tempdir().unwrap();
    let (file, list) = (place.path().join("x.npy"), place.path().join("labels.txt"));
    std::fs::write(&file, heatvit_model::npy::to_bytes(&[8, 3, 32, 32], &values)).unwrap();
    std::fs::write(&list, "7\n6\n5\nsome/path.jpg 4\n3\n2\n1\n0\n").unwrap();
    let choice = Choice { images: None, labels: Some(list), tensor: Some(file) };
    let set = DataSet::open(Path::new("a.toml"), &config, &choice).unwrap();
    let shape = crate::pipeline::image_shape(&config);
    for index in 0..8 {
        let (tensor, picture) = (set.image(index).unwrap(), folder.image(index).unwrap());
        assert_eq!(tensor.about.label, Some(7 - index));
        assert_eq!(tensor.pixels.patches(&shape).unwrap(), picture.pixels.patches(&shape).unwrap());
    }
}
