//! The terminal of the live table: its own screen, keys without Enter, and everything put back at
//! the end.

use std::io::{self, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::failure::{Exit, Failure};

/// A screen that is given back when this is dropped.
pub(crate) struct Screen {
    /// The modes of standard input before; nothing where it is no terminal, so that no keys come.
    before: Option<Termios>,
}

impl Screen {
    pub(crate) fn open() -> Result<Self, Failure> {
        let before = tcgetattr(io::stdin()).ok();
        if let Some(before) = &before {
            let mut modes = before.clone();
            modes.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
            // Without it `q` needs Enter: no reason to stop.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, &modes);
        }
        let screen = Self { before };
        // The other screen, and no cursor.
        write("\x1b[?1049h\x1b[?25l")?;
        Ok(screen)
    }

    /// Whether keys come from standard input.
    pub(crate) const fn has_keys(&self) -> bool {
        self.before.is_some()
    }

    /// Whether the key to quit was pressed. Called only where standard input is readable.
    pub(crate) fn quit_pressed() -> bool {
        let mut keys = [0; 64];
        match io::stdin().read(&mut keys) {
            Ok(0) => true,
            Ok(length) => keys[..length].iter().any(|key| matches!(key, b'q' | b'Q' | 4)),
            Err(_) => false,
        }
    }

    /// Columns and lines.
    pub(crate) fn size() -> (usize, usize) {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 => (size.ws_col.into(), size.ws_row.into()),
            _ => (100, 24),
        }
    }

    /// Shows this text instead of what is on the screen.
    pub(crate) fn show(text: &str) -> Result<(), Failure> {
        let mut out = String::from("\x1b[H");
        for line in text.lines() {
            out.push_str(line);
            out.push_str("\x1b[K\r\n");
        }
        out.push_str("\x1b[J");
        write(&out)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // Where the terminal is gone there is nothing to give back.
        let _ = write("\x1b[?25h\x1b[?1049l");
        if let Some(before) = &self.before {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| Failure::new(Exit::Failed, "cannot write to the terminal").caused_by(error))
}
