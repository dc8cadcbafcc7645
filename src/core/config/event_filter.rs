//! Selects webhook events by their type: those that are stored (`EVENT_KEEP`) and those that are forwarded (`EVENT_FORWARD`).

/// The value of `EVENT_KEEP` and `EVENT_FORWARD` if they are not set: all types except those of realtime events.
///
/// Each stored event costs one KV write, and the free plan has 1,000 writes a day
/// ([Workers KV: Limits](https://developers.cloudflare.com/kv/platform/limits/)). Chat messages would use them up.
pub const DEFAULT_EVENT_KEEP: &str = "*,!realtime.*,!of.websocket.*";

/// Selects events by their type: see [`EventFilter::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventFilter(Vec<TypePattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct TypePattern {
    excludes: bool,
    /// A type, or the beginning of a type followed by `*`.
    text: String,
}

impl EventFilter {
    /// Reads patterns that are separated by commas. Spaces around a pattern are ignored, and so are empty patterns.
    ///
    /// - A pattern is an event type, or the beginning of event types followed by `*`.
    /// - A pattern after `!` excludes what it matches.
    /// - An event is selected if at least one pattern matches its type and no pattern excludes it.
    ///
    /// A pattern of any other form is ignored. The second result is the places of these patterns, counted from 1.
    ///
    /// ```
    /// use ofauth_edge::core::config::EventFilter;
    ///
    /// let (filter, _) = EventFilter::parse("rules.*, payout.created, !rules.draft");
    /// assert!(filter.selects(Some("rules.updated")));
    /// assert!(!filter.selects(Some("rules.draft")));
    /// assert!(!filter.selects(Some("realtime.chat_message.received")));
    /// assert_eq!(EventFilter::parse("a.*, *.updated").1, [2]);
    /// ```
    pub fn parse(patterns: &str) -> (Self, Vec<usize>) {
        let (mut valid, mut ignored) = (Vec::new(), Vec::new());
        for (place, pattern) in (1..).zip(patterns.split(',').map(str::trim)).filter(|(_, pattern)| !pattern.is_empty())
        {
            let (excludes, text) = pattern.strip_prefix('!').map_or((false, pattern), |excluded| (true, excluded));
            let beginning = text.strip_suffix('*').unwrap_or(text);
            if text.is_empty() || beginning.contains(['*', '!']) {
                ignored.push(place);
            } else {
                valid.push(TypePattern { excludes, text: text.to_owned() });
            }
        }
        (Self(valid), ignored)
    }

    /// Whether an event of this type is selected. `None` stands for a body whose signature is valid but that is not an
    /// event. Only the pattern `*` matches it.
    pub fn selects(&self, event_type: Option<&str>) -> bool {
        let event_type = event_type.unwrap_or_default();
        let matches_any =
            |excludes| self.0.iter().any(|pattern| pattern.excludes == excludes && pattern.matches(event_type));
        matches_any(false) && !matches_any(true)
    }
}

impl TypePattern {
    fn matches(&self, event_type: &str) -> bool {
        self.text.strip_suffix('*').map_or(self.text == event_type, |beginning| event_type.starts_with(beginning))
    }
}
