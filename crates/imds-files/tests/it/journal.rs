//! Files of lines.

use imds_files::{FileErrorKind as Kind, Journal, JournalContent};

use crate::private::{fifo, mode};

const LIMIT: usize = 1 << 20;

fn content(lines: &str, torn: &str) -> JournalContent {
    JournalContent { lines: lines.into(), torn: torn.into() }
}

#[test]
fn lines_are_appended_and_only_a_torn_end_is_cut_and_only_by_an_append() {
    let guard = tempfile::tempdir().unwrap();
    let path = guard.path().join("journal");
    assert_eq!(Journal::open(&path, false, LIMIT).unwrap_err().kind(), Kind::NotFound);
    let (mut journal, empty) = Journal::open(&path, true, LIMIT).unwrap();
    assert_eq!(empty, content("", ""));
    assert_eq!(mode(&path), 0o600);
    journal.append(b"one").unwrap();
    journal.append(b"two").unwrap();
    drop(journal);

    std::fs::write(&path, "one\ntwo\nthr").unwrap();
    let (journal, read) = Journal::open(&path, false, LIMIT).unwrap();
    assert_eq!(read, content("one\ntwo\n", "thr"));
    drop(journal);
    assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\nthr", "opening changes nothing");

    let (mut journal, _) = Journal::open(&path, false, LIMIT).unwrap();
    journal.append(b"3").unwrap();
    drop(journal);
    assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n3\n");
}

#[test]
fn one_process_has_it_open() {
    let guard = tempfile::tempdir().unwrap();
    let path = guard.path().join("journal");
    let (journal, _) = Journal::open(&path, true, LIMIT).unwrap();
    let error = Journal::open(&path, true, LIMIT).unwrap_err();
    assert_eq!(error.kind(), Kind::Locked);
    assert!(error.to_string().ends_with("another process uses it"), "{error}");
    drop(journal);
    Journal::open(&path, true, LIMIT).unwrap();
}

#[test]
fn what_is_no_journal_is_refused_unchanged() {
    let guard = tempfile::tempdir().unwrap();
    let path = guard.path().join("journal");
    fifo(&path);
    assert_eq!(Journal::open(&path, true, LIMIT).unwrap_err().kind(), Kind::WrongType);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "text of a user's").unwrap();
    assert_eq!(Journal::open(&path, true, 3).unwrap_err().kind(), Kind::TooLarge);
    let (mut journal, _) = Journal::open(&path, true, LIMIT).unwrap();
    assert_eq!(journal.append(b"a\nb").unwrap_err().kind(), Kind::Damaged);
    assert_eq!(std::fs::read(&path).unwrap(), b"text of a user's");
    assert_eq!(Journal::open("/dev/null".as_ref(), true, 3).unwrap_err().kind(), Kind::WrongType);
}
