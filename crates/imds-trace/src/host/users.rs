//! Names of users, by `/etc/passwd`. Users of a directory service have none here: their numbers
//! stand alone.

use std::collections::HashMap;

/// Names by user id.
#[derive(Debug, Default)]
pub(crate) struct Users(HashMap<u32, String>);

impl Users {
    /// Reads the text of a passwd file; lines that are none are passed over.
    pub(crate) fn parse(text: &str) -> Self {
        let mut users = HashMap::new();
        for line in text.lines() {
            let mut fields = line.split(':');
            if let (Some(name), Some(uid)) = (fields.next(), fields.nth(1).and_then(|uid| uid.parse().ok())) {
                users.entry(uid).or_insert_with(|| name.to_owned());
            }
        }
        Self(users)
    }

    pub(crate) fn name(&self, uid: u32) -> Option<&str> {
        self.0.get(&uid).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_name_of_a_number_counts() {
        let users =
            Users::parse("root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nbad\na:x:b:\nme:x:1000:");
        assert_eq!((users.name(0), users.name(1000), users.name(7)), (Some("root"), Some("me"), None));
    }
}
