use super::*;

fn stretch(tensor: &str, stream: Stream, events: usize, at: (usize, usize), lanes: usize) -> Stretch {
    let tensor = Some(tensor.to_owned());
    Stretch { tensor, stream, events, row: at.0, column: at.1, lanes, orientation: Orientation::AlongRow }
}

fn event(cycle: u64, stream: Stream, lanes: &[i32]) -> Event {
    Event { cycle, stream, lanes: lanes.to_vec() }
}

/// A tensor of 2 x 3 in tiles of two columns, a transposed one of 2 x 2 and a column.
fn setup() -> (Trace, Vec<Stretch>, Vec<Event>) {
    let mut golden = Trace::default();
    golden.record("blocks.1.attn.q".to_owned(), 3, &[1, 2, 3, 4, 5, 6]);
    golden.record("blocks.1.attn.v".to_owned(), 2, &[7, 8, 9, 10]);
    golden.record("blocks.1.attn.rowsum.0".to_owned(), 1, &[11, 12]);
    let turned =
        Stretch { orientation: Orientation::AlongColumn, ..stretch("blocks.1.attn.v", Stream::Result, 2, (0, 0), 2) };
    let plan = vec![
        stretch("blocks.1.attn.q", Stream::Result, 2, (0, 0), 2),
        stretch("blocks.1.attn.q", Stream::Result, 2, (0, 2), 1),
        turned,
        stretch("blocks.1.attn.rowsum.0", Stream::RowSum, 2, (0, 0), 1),
    ];
    let events = vec![
        event(10, Stream::Result, &[1, 2]),
        event(11, Stream::Result, &[4, 5]),
        event(12, Stream::RowSum, &[11]),
        event(12, Stream::Result, &[3, 99]),
        event(13, Stream::Result, &[6, 99]),
        event(14, Stream::Result, &[7, 9]),
        event(15, Stream::Result, &[8, 10]),
        event(16, Stream::RowSum, &[12]),
    ];
    (golden, plan, events)
}

#[test]
fn equal_streams_have_no_difference() {
    let (golden, plan, events) = setup();
    let result = compare(&golden, &plan, &events);
    assert_eq!(result, Comparison { tensors: 3, elements: 12, mismatches: 0, tensors_differing: 0, first: None });
    assert_eq!(uncovered(&golden, &plan), []);
}

#[test]
fn the_first_difference_is_the_earliest() {
    let (golden, plan, mut events) = setup();
    events[2].lanes[0] = -1;
    events[6].lanes[1] = 77;
    let result = compare(&golden, &plan, &events);
    assert_eq!((result.mismatches, result.tensors_differing), (2, 2));
    let first = result.first.unwrap();
    assert_eq!((first.tensor.as_str(), first.row, first.column), ("blocks.1.attn.rowsum.0", 0, 0));
    events[2].lanes[0] = 11;
    let first = compare(&golden, &plan, &events).first.unwrap();
    assert_eq!(
        first.to_string(),
        "  layer     blocks.1\n  tensor    blocks.1.attn.v\n  token     1\n  channel   1\n  \
         cycle     15 (stream: result)\n  expected  10\n  got       77"
    );
}

#[test]
fn missing_and_surplus_events_are_differences() {
    let (golden, plan, mut events) = setup();
    let last = events.pop().unwrap();
    let result = compare(&golden, &plan, &events);
    assert_eq!(result.mismatches, 1);
    assert_eq!(result.first.unwrap().cycle, None);
    events.push(last);
    events.push(event(20, Stream::Operand, &[1]));
    let first = compare(&golden, &plan, &events).first.unwrap();
    assert_eq!((first.layer(), first.cycle), ("after the last operation", Some(20)));
}

#[test]
fn holes_in_the_plan_are_found() {
    let (golden, mut plan, _) = setup();
    plan.remove(1);
    assert_eq!(uncovered(&golden, &plan), [("blocks.1.attn.q".to_owned(), 2)]);
}
