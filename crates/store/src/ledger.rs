//! The ledger: one entry per recorded change, in the same transaction as the change itself. An
//! append reads the head row and no entry; a check reads everything.

use audit::{
    Break, BreakKind, ChainCheck, Checkpoint, Entry, Frontier, NewEntry, SigningKey, Subject, Tip,
    Tree, VerifierKey,
};
use base::{Digest, Timestamp, canonical};

use crate::sql::{Connection, Row, Value};
use crate::{NewChange, StoreError, Tx};

/// Rows read at once when the whole ledger is read.
const BATCH: i64 = 1_000;

const ENTRY: &str = "SELECT sequence, at, event, actor, channel, subject_kind, subject_id, detail, \
                     previous, digest FROM ledger";

/// The end of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerHead {
    /// Size and last digest.
    pub tip: Tip,
    /// The tree over all entries.
    pub tree: Frontier,
}

/// Which entries. All given conditions hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerFilter {
    /// Kind of the subject.
    pub subject_kind: Option<String>,
    /// Id of the subject.
    pub subject_id: Option<String>,
    /// Event code.
    pub event: Option<String>,
    /// Who.
    pub actor: Option<String>,
    /// Only entries before this position.
    pub before: Option<u64>,
}

/// What a check of the whole ledger found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCheck {
    /// Entries that hold.
    pub size: u64,
    /// The root over them.
    pub root: Digest,
    /// Signed checkpoints that hold.
    pub checkpoints: u64,
    /// The first place that does not hold.
    pub broken: Option<Break>,
}

fn read_entry(mut row: Row) -> Result<(Entry, Digest), StoreError> {
    let entry = Entry {
        sequence: row.count()?,
        at: row.time()?,
        event: row.parsed()?,
        actor: row.text()?,
        channel: row.text()?,
        subject: Subject { kind: row.text()?, id: row.text()? },
        detail: row.json()?,
        previous: row.digest()?,
    };
    Ok((entry, row.digest()?))
}

impl Connection {
    /// The end of the ledger.
    pub async fn ledger_head(&mut self) -> Result<LedgerHead, StoreError> {
        const SQL: &str = "SELECT size, digest, frontier FROM ledger_head WHERE one = 1";
        let row = self.fetch_first(SQL, vec![]).await?;
        let mut row = row.ok_or_else(|| StoreError::corrupt("ledger head", "no row"))?;
        Ok(LedgerHead { tip: Tip { size: row.count()?, head: row.digest()? }, tree: row.json()? })
    }

    /// The newest entries that match, with their digests, and how many match in all.
    pub async fn ledger_entries(
        &mut self,
        filter: &LedgerFilter,
        limit: u32,
    ) -> Result<(Vec<(Entry, Digest)>, u64), StoreError> {
        const WHERE: &str = "WHERE ($1 IS NULL OR subject_kind = $1) \
             AND ($2 IS NULL OR subject_id = $2) AND ($3 IS NULL OR event = $3) \
             AND ($4 IS NULL OR actor = $4)";
        let values = vec![
            Value::maybe_text(filter.subject_kind.as_ref()),
            Value::maybe_text(filter.subject_id.as_ref()),
            Value::maybe_text(filter.event.as_ref()),
            Value::maybe_text(filter.actor.as_ref()),
        ];
        let sql = format!("SELECT COUNT(*) FROM ledger {WHERE}");
        let row = self.fetch_first(&sql, values.clone()).await?;
        let total = row.ok_or_else(|| StoreError::corrupt("count", "no row"))?.count()?;
        let sql = format!("{ENTRY} {WHERE} AND sequence < $5 ORDER BY sequence DESC LIMIT $6");
        let before = Value::count(filter.before.unwrap_or(u64::MAX));
        let page = [before, i64::from(limit).into()];
        let rows = self.fetch(&sql, values.into_iter().chain(page).collect()).await?;
        Ok((rows.into_iter().map(read_entry).collect::<Result<_, _>>()?, total))
    }

    /// Every entry about a subject, oldest first.
    pub async fn ledger_entries_about(
        &mut self,
        subject: &Subject,
    ) -> Result<Vec<Entry>, StoreError> {
        let sql = format!("{ENTRY} WHERE subject_id = $1 AND subject_kind = $2 ORDER BY sequence");
        let values = vec![Value::text(&subject.id), Value::text(&subject.kind)];
        let rows = self.fetch(&sql, values).await?;
        rows.into_iter().map(|row| Ok(read_entry(row)?.0)).collect()
    }

    /// The tree over all entries, by their recorded digests.
    pub async fn ledger_tree(&mut self) -> Result<Tree, StoreError> {
        const SQL: &str = "SELECT digest FROM ledger WHERE sequence >= $1 \
                           ORDER BY sequence LIMIT $2";
        let mut tree = Tree::default();
        loop {
            let values = vec![Value::count(tree.size()), BATCH.into()];
            let rows = self.fetch(SQL, values).await?;
            if rows.is_empty() {
                return Ok(tree);
            }
            for mut row in rows {
                tree.push(row.digest()?);
            }
        }
    }

    /// Reads the whole ledger and says where it first fails to hold.
    pub async fn check_ledger(&mut self, key: &VerifierKey) -> Result<LedgerCheck, StoreError> {
        let mut check = ChainCheck::default();
        let mut checkpoints = 0;
        let broken = self.check_entries(&mut check, &mut checkpoints, key).await?.err();
        Ok(LedgerCheck { size: check.size(), root: check.root(), checkpoints, broken })
    }

    async fn check_entries(
        &mut self,
        check: &mut ChainCheck,
        checkpoints: &mut u64,
        key: &VerifierKey,
    ) -> Result<Result<(), Break>, StoreError> {
        loop {
            let sql = format!("{ENTRY} WHERE sequence >= $1 ORDER BY sequence LIMIT $2");
            let rows = self.fetch(&sql, vec![Value::count(check.size()), BATCH.into()]).await?;
            let notes = self.checkpoints_after(check.size(), rows.len()).await?;
            let mut notes = notes.into_iter().peekable();
            let last = rows.is_empty();
            for row in rows {
                let added = match read_entry(row) {
                    Ok((entry, digest)) => check.add(&entry, &digest),
                    Err(error) => Err(check.broken(BreakKind::Unreadable(error.to_string()))),
                };
                if let Err(broken) = added {
                    return Ok(Err(broken));
                }
                if let Some((size, note)) = notes.next_if(|(size, _)| *size == check.size()) {
                    let signed = Checkpoint::open(&note, key);
                    let bad = check.broken(BreakKind::Checkpoint { size });
                    if !signed.is_ok_and(|head| head.size == size && check.check(&head).is_ok()) {
                        return Ok(Err(bad));
                    }
                    *checkpoints += 1;
                }
            }
            if last {
                return self.check_end(check).await;
            }
        }
    }

    /// Signed heads of trees larger than `size`, by at most `more` entries.
    async fn checkpoints_after(
        &mut self,
        size: u64,
        more: usize,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        const SQL: &str = "SELECT size, note FROM ledger_checkpoint \
                           WHERE size > $1 AND size <= $2 ORDER BY size";
        let values = vec![Value::count(size), Value::count(size + more as u64)];
        let rows = self.fetch(SQL, values).await?;
        rows.into_iter().map(|mut row| Ok((row.count()?, row.text()?))).collect()
    }

    /// The end: the last signed head is that of the last entry, for whoever writes has the key;
    /// and there are as many entries as changes, so that a ledger cut back to an older checkpoint
    /// does not pass for whole.
    async fn check_end(&mut self, check: &ChainCheck) -> Result<Result<(), Break>, StoreError> {
        const SQL: &str = "SELECT size FROM ledger_checkpoint ORDER BY size DESC LIMIT 1";
        let row = self.fetch_first(SQL, vec![]).await?;
        let signed = row.map_or(Ok(0), |mut row| row.count())?;
        // The first entry says that the ledger started, and comes with the first change.
        let changes = self.head(false).await?;
        let entries = if changes == 0 { 0 } else { changes + 1 };
        let size = signed.max(entries);
        if size > check.size() {
            return Ok(Err(check.broken(BreakKind::End { size })));
        }
        if signed < check.size() {
            return Ok(Err(Break { sequence: signed, what: BreakKind::Unsigned }));
        }
        let head = self.ledger_head().await?;
        Ok(check.finish(head.tip, &head.tree))
    }

    /// The last signed head.
    pub async fn last_checkpoint(&mut self) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1";
        self.fetch_first(SQL, vec![]).await?.map(|mut row| row.text()).transpose()
    }
}

impl Tx {
    /// Appends the entries of these changes. [`Tx::record_all`] is the only caller.
    pub(crate) async fn append_ledger(&mut self, changes: &[NewChange]) -> Result<(), StoreError> {
        let news = changes.iter().map(|change| {
            let subject = Subject::new(change.kind, &change.id);
            let (before, after) = (change.before.clone(), change.after.clone());
            NewEntry::change(change.event, subject, before, after, change.note.clone())
        });
        let mut head = self.ledger_head().await?;
        let mut rows = Vec::with_capacity(changes.len() + 1);
        let start = (head.tip == Tip::START).then(|| {
            let subject = Subject::new("ledger", "ledger");
            NewEntry::change(audit::Event::LedgerStarted, subject, None, None, None)
        });
        for new in start.into_iter().chain(news) {
            let (actor, channel) = (&self.writer.actor, self.writer.channel);
            let entry = new.follow(head.tip, self.at, actor.as_str(), channel.as_str());
            let digest = entry.digest().map_err(|error| StoreError::corrupt("entry", error))?;
            head.tip = Tip { size: head.tip.size + 1, head: digest };
            head.tree.push(digest);
            rows.push(entry_values(&entry, digest)?);
        }
        const INTO: &str = "ledger (sequence, at, event, actor, channel, subject_kind, subject_id, \
                            detail, previous, digest)";
        self.insert_rows(INTO, rows).await?;
        const HEAD: &str =
            "UPDATE ledger_head SET size = $1, digest = $2, frontier = $3 WHERE one = 1";
        let values =
            vec![Value::count(head.tip.size), head.tip.head.into(), Value::json(&head.tree)?];
        self.execute(HEAD, values).await.map(|_| ())
    }

    /// Signs the ledger's head as this transaction leaves it. Nothing is signed when it appended
    /// nothing.
    pub async fn sign_ledger(&mut self, key: &SigningKey) -> Result<(), StoreError> {
        const INTO: &str = "ledger_checkpoint (size, signed_at, note)";
        if self.changes().is_empty() {
            return Ok(());
        }
        let head = self.ledger_head().await?;
        let note = Checkpoint::sign(head.tip.size, head.tree.root(), key)
            .map_err(|error| StoreError::corrupt("checkpoint", error))?;
        let row = vec![Value::count(head.tip.size), self.at.into(), Value::text(note)];
        self.insert_rows(INTO, vec![row]).await
    }
}

fn entry_values(entry: &Entry, digest: Digest) -> Result<Vec<Value>, StoreError> {
    let detail =
        canonical::to_bytes(&entry.detail).map_err(|error| StoreError::corrupt("entry", error))?;
    let at: Timestamp = entry.at;
    Ok(vec![
        Value::count(entry.sequence),
        at.into(),
        Value::text(entry.event),
        Value::text(&entry.actor),
        Value::text(&entry.channel),
        Value::text(&entry.subject.kind),
        Value::text(&entry.subject.id),
        Value::Text(Some(String::from_utf8_lossy(&detail).into_owned())),
        entry.previous.into(),
        digest.into(),
    ])
}
