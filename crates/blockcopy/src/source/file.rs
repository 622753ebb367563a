//! A raw file on this machine as a source. Its holes are known without reading.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use rustix::fs::SeekFrom;
use rustix::io::Errno;

use super::{Source, SourceError, SourceFault};
use crate::blocking;
use crate::extent::{Extent, ExtentKind};

/// An open raw file.
#[derive(Clone, Debug)]
pub struct RawSource {
    file: Arc<File>,
    path: PathBuf,
    length: u64,
}

impl RawSource {
    /// Opens `path` for reading; its length is taken now.
    pub async fn open(path: &Path) -> Result<Self, SourceError> {
        let from = path.to_owned();
        let opened = blocking::run(move || {
            let file = File::open(from)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        });
        let (file, length) = opened.await.and_then(|result| result).map_err(|error| failed(path, error))?;
        Ok(Self { file: Arc::new(file), path: path.to_owned(), length })
    }
}

fn failed(path: &Path, error: io::Error) -> SourceError {
    SourceError { object: path.display().to_string(), fault: SourceFault::Io(error) }
}

#[async_trait]
impl Source for RawSource {
    fn length(&self) -> u64 {
        self.length
    }

    async fn extents(&self) -> Result<Vec<Extent>, SourceError> {
        let (file, length) = (Arc::clone(&self.file), self.length);
        let found = blocking::run(move || extents(&file, length)).await.and_then(|result| result);
        found.map_err(|error| failed(&self.path, error))
    }

    async fn read_at(&self, offset: u64, length: usize) -> Result<Bytes, SourceError> {
        let file = Arc::clone(&self.file);
        let read = blocking::run(move || {
            let mut buffer = vec![0; length];
            file.read_exact_at(&mut buffer, offset).map(|()| Bytes::from(buffer))
        });
        read.await.and_then(|result| result).map_err(|error| failed(&self.path, error))
    }
}

fn extents(file: &File, length: u64) -> io::Result<Vec<Extent>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < length {
        let data = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(data) => data.min(length),
            Err(Errno::NXIO) => length,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        if data > at {
            found.push(Extent { offset: at, length: data - at, kind: ExtentKind::Zero });
        }
        if data < length {
            let hole = rustix::fs::seek(file, SeekFrom::Hole(data))?.min(length);
            found.push(Extent { offset: data, length: hole - data, kind: ExtentKind::Allocated });
            at = hole;
        } else {
            at = length;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn holes_and_data_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.img");
        let file = File::create(&path).unwrap();
        file.set_len(1 << 20).unwrap();
        file.write_all_at(&[7; 65536], 262_144).unwrap();
        let source = RawSource::open(&path).await.unwrap();
        let extents = source.extents().await.unwrap();
        let data: Vec<_> = extents.iter().filter(|extent| extent.kind == ExtentKind::Allocated).collect();
        assert_eq!((data.len(), data[0].offset, data[0].length), (1, 262_144, 65536));
        assert_eq!(extents.iter().map(|extent| extent.length).sum::<u64>(), 1 << 20);
        assert_eq!(source.read_at(262_143, 2).await.unwrap().as_ref(), [0, 7]);
    }

    #[tokio::test]
    async fn a_file_that_got_shorter_is_an_error_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("disk.img");
        File::create(&path).unwrap().set_len(100).unwrap();
        let source = RawSource::open(&path).await.unwrap();
        File::create(&path).unwrap();
        let error = source.read_at(0, 100).await.unwrap_err();
        assert!(error.to_string().ends_with("disk.img"), "{error}");
    }
}
