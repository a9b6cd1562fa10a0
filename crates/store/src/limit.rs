//! The book of limits: what each node has of each busy key. Its lines are statements of the nodes,
//! like those of [`crate::NodeRow`], not administrative changes, so they are not recorded. What they
//! mean is [`traffic::limit::fleet`]'s.

use base::Timestamp;
use traffic::limit::Period;
use traffic::limit::fleet::{Entries, Line, Member, NodeLine};
use traffic::rate::Share;

use crate::StoreError;
use crate::sql::{Connection, Inner, Row, Value};

const LINE: &str =
    "SELECT key, starts, ends, holder, rule, holds, used, demand, sequence FROM limit_line";
/// Keys that one statement asks for.
const KEYS_PER_QUERY: usize = 500;
/// Lines that one statement writes.
const LINES_PER_INSERT: usize = 200;

fn read_node(mut row: Row) -> Result<NodeLine, StoreError> {
    Ok(NodeLine {
        member: Member { node: row.parsed()?, life: row.time()? },
        split: Share::from_millionths(row.count()?),
        at: row.time()?,
        sequence: row.count()?,
    })
}

fn read_line(mut row: Row) -> Result<Line, StoreError> {
    let key = row.text()?;
    let (start, end) = (row.time()?, row.time()?);
    Ok(Line {
        key,
        // No day or month of ours began in 1970.
        period: (end > Timestamp::from_micros(0)).then_some(Period { start, end }),
        holder: row.text()?,
        limit: row.parsed()?,
        holds: row.count()?,
        used: row.count()?,
        demand: row.count()?,
        sequence: row.count()?,
    })
}

impl Connection {
    /// The step that the book of limits is at.
    pub async fn limit_sequence(&mut self) -> Result<u64, StoreError> {
        self.limit_step(false).await
    }

    async fn limit_step(&mut self, lock: bool) -> Result<u64, StoreError> {
        let sql = match lock && self.is_postgres() {
            true => "SELECT sequence FROM limit_book WHERE one = 1 FOR UPDATE",
            false => "SELECT sequence FROM limit_book WHERE one = 1",
        };
        let row = self.fetch_first(sql, vec![]).await?;
        row.ok_or_else(|| StoreError::corrupt("limit_book", "no row"))?.count()
    }
}

/// A round of a node. Dropping it without [`LimitTx::commit`] undoes everything.
#[derive(Debug)]
pub struct LimitTx {
    connection: Connection,
    sequence: u64,
}

impl LimitTx {
    pub(crate) async fn start(mut connection: Connection) -> Result<Self, StoreError> {
        let sequence = connection.limit_step(true).await?;
        Ok(Self { connection, sequence })
    }

    /// The step that the book is at.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The nodes that take part, sorted by id.
    pub async fn nodes(&mut self) -> Result<Vec<NodeLine>, StoreError> {
        const SQL: &str = "SELECT id, life, split, at, sequence FROM limit_node ORDER BY id";
        self.connection.fetch(SQL, vec![]).await?.into_iter().map(read_node).collect()
    }

    /// Every line of the keys that have one newer than this step, but for periods that are over.
    pub async fn lines_after(
        &mut self,
        sequence: u64,
        now: Timestamp,
    ) -> Result<Vec<Line>, StoreError> {
        let sql = format!(
            "{LINE} WHERE (key, starts) IN (SELECT key, starts FROM limit_line \
             WHERE sequence > $1 AND (ends = 0 OR ends > $2))"
        );
        let values = vec![Value::count(sequence), now.into()];
        let rows = self.connection.fetch(&sql, values).await?;
        rows.into_iter().map(read_line).collect()
    }

    /// Every line of these keys.
    pub async fn lines_of(&mut self, keys: &[&str]) -> Result<Vec<Line>, StoreError> {
        let mut lines = Vec::new();
        for keys in keys.chunks(KEYS_PER_QUERY) {
            let marks: Vec<_> = (1..=keys.len()).map(|number| format!("${number}")).collect();
            let sql = format!("{LINE} WHERE key IN ({})", marks.join(", "));
            let values = keys.iter().map(Value::text).collect();
            for row in self.connection.fetch(&sql, values).await? {
                lines.push(read_line(row)?);
            }
        }
        Ok(lines)
    }

    /// Saves what a round made of the book.
    pub async fn save(&mut self, entries: Entries) -> Result<(), StoreError> {
        if let Some(sequence) = entries.sequence {
            const SQL: &str = "UPDATE limit_book SET sequence = $1 WHERE one = 1";
            self.connection.execute(SQL, vec![Value::count(sequence)]).await?;
            self.sequence = sequence;
        }
        for node in &entries.gone {
            let id = Value::text(&node.member.node);
            self.connection.execute("DELETE FROM limit_node WHERE id = $1", vec![id]).await?;
        }
        for (key, start, holder) in &entries.struck {
            const SQL: &str =
                "DELETE FROM limit_line WHERE key = $1 AND starts = $2 AND holder = $3";
            let starts = start.unwrap_or_default().into();
            let values = vec![Value::text(key), starts, Value::text(holder)];
            self.connection.execute(SQL, values).await?;
        }
        self.save_lines(&entries.lines).await?;
        match entries.node {
            Some(node) => self.save_node(&node).await,
            None => Ok(()),
        }
    }

    async fn save_node(&mut self, node: &NodeLine) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO limit_node (id, life, split, at, sequence) \
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET life = excluded.life, \
            split = excluded.split, at = excluded.at, sequence = excluded.sequence";
        let values = vec![
            Value::text(&node.member.node),
            node.member.life.into(),
            Value::count(node.split.millionths()),
            node.at.into(),
            Value::count(node.sequence),
        ];
        self.connection.execute(SQL, values).await.map(|_| ())
    }

    async fn save_lines(&mut self, lines: &[Line]) -> Result<(), StoreError> {
        for lines in lines.chunks(LINES_PER_INSERT) {
            let mut numbers = 1..;
            let mut row = || {
                let marks: Vec<_> = numbers.by_ref().take(9).map(|n| format!("${n}")).collect();
                format!("({})", marks.join(", "))
            };
            let rows: Vec<_> = lines.iter().map(|_| row()).collect();
            let sql = format!(
                "INSERT INTO limit_line \
                 (key, starts, ends, holder, rule, holds, used, demand, sequence) VALUES {} \
                 ON CONFLICT (key, starts, holder) DO UPDATE SET rule = excluded.rule, \
                 holds = excluded.holds, used = excluded.used, demand = excluded.demand, \
                 sequence = excluded.sequence",
                rows.join(", ")
            );
            let values = lines.iter().flat_map(line_values).collect();
            self.connection.execute(&sql, values).await?;
        }
        Ok(())
    }

    /// Forgets quotas of periods that ended before a moment.
    pub async fn forget_before(&mut self, moment: Timestamp) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM limit_line WHERE ends > 0 AND ends < $1";
        self.connection.execute(SQL, vec![moment.into()]).await.map(|_| ())
    }

    /// Makes it durable. Everything before an error is undone.
    pub async fn commit(self) -> Result<(), StoreError> {
        if self.connection.failed {
            return Err(StoreError::Aborted);
        }
        match self.connection.inner {
            Inner::Sqlite(tx) => tx.commit().await?,
            Inner::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

fn line_values(line: &Line) -> Vec<Value> {
    let none = Timestamp::from_micros(0);
    let (start, end) = line.period.map_or((none, none), |period| (period.start, period.end));
    vec![
        Value::text(&line.key),
        start.into(),
        end.into(),
        Value::text(&line.holder),
        Value::text(line.limit),
        Value::count(line.holds),
        Value::count(line.used),
        Value::count(line.demand),
        Value::count(line.sequence),
    ]
}
