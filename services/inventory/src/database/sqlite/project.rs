//! What a change of one object means for others in the same transaction: VMs that share a disk file, and VMs that
//! show the changed projection of a host or cluster.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use super::super::Error;
use super::super::entry::mark_shared;
use super::super::error::Attempt;
use super::write::Work;
use crate::kind::{Key, Kind};

impl Work<'_> {
    /// Replaces the disk files of a VM; a file it has not had, or has no longer, is looked at by `mark_sharers`.
    pub async fn set_files(&mut self, vm: &str, files: &[String]) -> Result<(), Error> {
        let new: BTreeSet<&str> = files.iter().map(String::as_str).collect();
        let rows: Vec<(String,)> = sqlx::query_as("SELECT file FROM disk_file WHERE provider = ? AND vm = ?")
            .bind(self.provider.as_str())
            .bind(vm)
            .fetch_all(&mut *self.connection)
            .await
            .attempt("reading disk files")?;
        let old: BTreeSet<&str> = rows.iter().map(|(file,)| file.as_str()).collect();
        for file in old.difference(&new) {
            self.file("DELETE FROM disk_file WHERE provider = ? AND file = ? AND vm = ?", file, vm).await?;
        }
        for file in new.difference(&old) {
            self.file("INSERT INTO disk_file (provider, file, vm) VALUES (?, ?, ?)", file, vm).await?;
        }
        self.files.extend(old.symmetric_difference(&new).map(|file| (*file).to_owned()));
        Ok(())
    }

    async fn file(&mut self, sql: &'static str, file: &str, vm: &str) -> Result<(), Error> {
        sqlx::query(sql)
            .bind(self.provider.as_str())
            .bind(file)
            .bind(vm)
            .execute(&mut *self.connection)
            .await
            .attempt("writing a disk file")?;
        Ok(())
    }

    /// Which of these files belong to more than one VM.
    pub async fn shared_of(&mut self, files: &[String]) -> Result<BTreeSet<String>, Error> {
        let mut shared = BTreeSet::new();
        for file in files {
            if self.owners(file).await?.len() > 1 {
                shared.insert(file.clone());
            }
        }
        Ok(shared)
    }

    async fn owners(&mut self, file: &str) -> Result<Vec<String>, Error> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT vm FROM disk_file WHERE provider = ? AND file = ?")
            .bind(self.provider.as_str())
            .bind(file)
            .fetch_all(&mut *self.connection)
            .await
            .attempt("reading who shares a disk file")?;
        Ok(rows.into_iter().map(|(vm,)| vm).collect())
    }

    /// Writes `shared` into the disks of every VM that has one of the files whose owners changed.
    pub async fn mark_sharers(&mut self) -> Result<(), Error> {
        let mut shared: BTreeMap<String, bool> = BTreeMap::new();
        let mut vms = BTreeSet::new();
        for file in std::mem::take(&mut self.files) {
            let owners = self.owners(&file).await?;
            shared.insert(file, owners.len() > 1);
            vms.extend(owners);
        }
        for vm in vms {
            let files: Vec<String> = disk_files(&mut *self.connection, self.provider.as_str(), &vm).await?;
            let all = self.shared_of(&files).await?;
            self.rewrite(&Key::new(Kind::Vm, vm), |document| mark_shared(document, |file| all.contains(file))).await?;
        }
        Ok(())
    }

    /// Raises every VM that shows a projection which changed, directly or through another object.
    pub async fn raise_viewers(&mut self) -> Result<(), Error> {
        let mut open: Vec<Key> = std::mem::take(&mut self.projected).into_iter().collect();
        let mut done = BTreeSet::new();
        while let Some(shown) = open.pop() {
            if !done.insert(shown.clone()) {
                continue;
            }
            for viewer in self.viewers(&shown).await? {
                match viewer.kind {
                    Kind::Vm => self.raise(&viewer).await?,
                    _ => open.push(viewer),
                }
            }
        }
        Ok(())
    }

    async fn viewers(&mut self, shown: &Key) -> Result<Vec<Key>, Error> {
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT kind, id FROM shows WHERE provider = ? AND shown_kind = ? AND shown_id = ?")
                .bind(self.provider.as_str())
                .bind(shown.kind.as_str())
                .bind(&shown.id)
                .fetch_all(&mut *self.connection)
                .await
                .attempt("reading who shows an object")?;
        Ok(rows.into_iter().filter_map(|(kind, id)| Some(Key::new(Kind::parse(&kind)?, id))).collect())
    }
}

async fn disk_files(connection: &mut SqliteConnection, provider: &str, vm: &str) -> Result<Vec<String>, Error> {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT file FROM disk_file WHERE provider = ? AND vm = ?")
        .bind(provider)
        .bind(vm)
        .fetch_all(connection)
        .await
        .attempt("reading disk files")?;
    Ok(rows.into_iter().map(|(file,)| file).collect())
}
