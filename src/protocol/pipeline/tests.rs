use super::*;

const CUT: LineLimits = LineLimits { max_line: 100, what: "order", max_lines: usize::MAX };

fn part(name: &str, text: &[u8]) -> Part {
    Part { place: Place::file(name), reader: Box::new(io::Cursor::new(text.to_vec())) }
}

fn run(input: &[u8], threads: usize, limits: LineLimits) -> Result<Vec<(u64, Vec<u8>)>> {
    let mut seen = Vec::new();
    Workers::new(Some(threads)).unwrap().run(
        vec![part("in", input)],
        limits,
        |_| Ok(()),
        |block, ()| block.lines().into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>(),
        |lines, block| {
            assert_eq!(lines.len(), block.lines);
            seen.extend((block.first_line..).zip(lines));
            Ok(())
        },
    )?;
    Ok(seen)
}

#[test]
fn lines_come_out_in_order_at_any_thread_count() {
    let lines: Vec<Vec<u8>> = (0..20_000).map(|i| vec![b'a' + (i % 26) as u8; i % 90]).collect();
    let mut input = lines.join(&b'\n');
    input.push(b'\n');
    for threads in [1, 2, 5] {
        for max_lines in [usize::MAX, 16] {
            let seen = run(&input, threads, LineLimits { max_lines, ..CUT }).unwrap();
            assert!(seen.iter().map(|(number, _)| *number).eq(1..=20_000));
            assert!(seen.iter().map(|(_, line)| line).eq(&lines));
        }
    }
}

#[test]
fn the_last_line_needs_no_line_feed_and_nothing_is_no_line() {
    assert_eq!(run(b"", 1, CUT).unwrap(), []);
    assert_eq!(run(b"\n", 1, CUT).unwrap(), [(1, b"".to_vec())]);
    assert_eq!(run(b"a\n\nb", 1, CUT).unwrap().len(), 3);
}

/// Returns the lines of the parts, each preceded by its place.
fn run_parts(parts: &[(&str, &[u8])], threads: usize, limits: LineLimits) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    let mut next = 1;
    Workers::new(Some(threads)).unwrap().run(
        parts.iter().map(|(name, text)| part(name, text)).collect(),
        limits,
        |_| Ok(()),
        |block, ()| block.lines().into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>(),
        |lines, block| {
            assert_eq!(block.first_line, next, "numbers go on over the parts");
            next += lines.len() as u64;
            for (index, line) in lines.iter().enumerate() {
                let text = String::from_utf8_lossy(line);
                seen.push(format!("{}: {text}", block.place(index)));
            }
            Ok(())
        },
    )?;
    Ok(seen)
}

#[test]
fn lines_of_several_parts_know_their_place_and_never_run_together() {
    let parts: [(&str, &[u8]); 6] =
        [("a", b"1\n2\n3"), ("b", b""), ("c", b"4"), ("c", b"\n5"), ("d", b"6\n"), ("e", b"")];
    let expected = [
        "a: line 1: 1",
        "a: line 2: 2",
        "a: line 3: 3",
        "c: line 1: 4",
        "c: line 1: ",
        "c: line 2: 5",
        "d: line 1: 6",
    ];
    for (threads, max_lines) in [(1, 1), (1, 2), (3, usize::MAX)] {
        assert_eq!(run_parts(&parts, threads, LineLimits { max_lines, ..CUT }).unwrap(), expected);
    }
    assert_eq!(run_parts(&[], 1, CUT).unwrap(), [""; 0]);
    let long = [b"short\n".to_vec(), vec![b'x'; 2_000_000]].concat();
    let found = run_parts(&[("a", b"1\n2\n"), ("b", &long)], 2, CUT).unwrap_err().to_string();
    assert_eq!(found, "b: line 2: order longer than 100 bytes");
}

#[test]
fn an_endless_line_is_refused_after_what_was_before_it() {
    let mut input = b"short\n".to_vec();
    input.extend(vec![b'x'; 2_000_000]);
    let found = run(&input, 2, CUT).unwrap_err().to_string();
    assert_eq!(found, "in: line 2: order longer than 100 bytes");
}

#[test]
#[should_panic(expected = "in the pool")]
fn a_panic_in_the_pool_reaches_the_caller() {
    let workers = Workers::new(Some(2)).unwrap();
    let work = |_: &mut Block, ()| panic!("in the pool");
    let _ = workers.run(vec![part("in", b"a\n")], CUT, |_| Ok(()), work, |(): (), _| Ok(()));
}

#[test]
fn a_block_keeps_memory_for_the_next_unless_it_is_large() {
    let kept = |bytes: usize| {
        let workers = Workers::new(Some(1)).unwrap();
        let mut kept = 0;
        let consume = |(), block: &mut Block| {
            block.give_back(Vec::with_capacity(bytes));
            kept = block.spare.capacity();
            Ok(())
        };
        workers.run(vec![part("in", b"a\n")], CUT, |_| Ok(()), |_, ()| (), consume).unwrap();
        kept
    };
    assert!(kept(1 << 19) >= 1 << 19);
    assert_eq!(kept(64 << 20), 0);
}

/// Reader that returns few bytes at a time, as a pipe does.
struct Trickle(io::Cursor<Vec<u8>>);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let few = buffer.len().min(7);
        self.0.read(&mut buffer[..few])
    }
}

#[test]
fn chunks_lie_in_their_cells_and_the_last_is_never_full() {
    let chunking = Chunking { len: 10, room: 2, count: 4 };
    for len in [0, 1, 9, 10, 11, 39, 40, 41, 80, 1234] {
        let input: Vec<u8> = (0..len).map(|i| i as u8).collect();
        for threads in [1, 3] {
            let (mut text, mut next, mut ended) = (Vec::<u8>::new(), 0, false);
            let reader = Box::new(Trickle(io::Cursor::new(input.clone())));
            let work = |chunks: &mut ChunkBlock| chunks.first;
            let consume = |first: u64, chunks: &mut ChunkBlock| {
                assert_eq!((first, ended), (next, false));
                (next, ended) = (first + 4, chunks.last);
                let full = chunks.read / 10;
                let cells: Vec<&[u8]> = chunks.cells().chunks(12).collect();
                assert_eq!(cells.len(), full + usize::from(ended));
                let ends = cells.last().is_none_or(|cell| cell.len() < 12);
                assert_eq!(ends, ended, "{len} bytes");
                text.extend(cells.iter().flat_map(|cell| &cell[..cell.len() - 2]));
                Ok(())
            };
            let workers = Workers::new(Some(threads)).unwrap();
            workers.run_chunks(reader, &Place::file("in"), chunking, work, consume).unwrap();
            assert!(ended && text == input, "{len} bytes");
        }
    }
}
