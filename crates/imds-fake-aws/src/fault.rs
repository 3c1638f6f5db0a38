//! What can be made to go wrong.

/// When in the life of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The request has arrived and nothing has been done.
    Before,
    /// It has been done, and not answered.
    After,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Harm {
    /// An error of the service: status, code, message.
    Error(u16, String, String),
    /// A page of HTML with this status, as from a proxy.
    Html(u16),
    /// No answer at all, ever; [`crate::Fake::on_held`] tells of it.
    Hold(Moment),
}

/// A fault: for which requests, and what.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The action, or any.
    pub action: Option<String>,
    /// The account, or any.
    pub account: Option<String>,
    /// The Region, or any.
    pub region: Option<String>,
    /// How many matching requests go through first.
    pub skip: u64,
    /// How many are harmed then.
    pub times: u64,
    /// What happens.
    pub harm: Harm,
}

impl Fault {
    /// For every request of an action, always.
    #[must_use]
    pub fn always(action: &str, harm: Harm) -> Self {
        Self { action: Some(action.to_owned()), account: None, region: None, skip: 0, times: u64::MAX, harm }
    }

    /// In this place only.
    #[must_use]
    pub fn at(mut self, account: &str, region: &str) -> Self {
        self.account = Some(account.to_owned());
        self.region = Some(region.to_owned());
        self
    }

    /// EC2's answer to who may not.
    #[must_use]
    pub fn denied() -> Harm {
        Harm::Error(
            403,
            "UnauthorizedOperation".to_owned(),
            "You are not authorized to perform this operation.".to_owned(),
        )
    }

    /// Whether it strikes this request; counts it.
    pub(crate) fn strikes(&mut self, action: &str, account: &str, region: &str) -> bool {
        let is =
            |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        if !is(&self.action, action) || !is(&self.account, account) || !is(&self.region, region) {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        if self.times == 0 {
            return false;
        }
        self.times = self.times.saturating_sub(u64::from(self.times != u64::MAX));
        true
    }
}
