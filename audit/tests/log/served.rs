//! A log's folder behind HTTP, as a router serves it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    sync::mpsc::{self, Receiver, Sender},
    thread,
};

use audit::log::{LogError, Reader};

use crate::Log;

/// Serves `folder` for the rest of the process, and hands on what is posted.
pub(crate) fn serve(folder: &Path) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (posts, posted) = mpsc::channel();
    let folder = folder.to_owned();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (folder, posts) = (folder.clone(), posts.clone());
            thread::spawn(move || answer(&stream.unwrap(), &folder, &posts));
        }
    });
    (url, posted)
}

fn answer(stream: &TcpStream, folder: &Path, posts: &Sender<String>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if reader.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let (mut length, mut header) = (0, String::new());
        while reader.read_line(&mut header).unwrap() > 2 {
            let lower = header.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            header.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let path = request.split(' ').nth(1).unwrap();
        let (status, body) = if path == "/cosignatures" {
            posts.send(String::from_utf8(body).unwrap()).unwrap();
            ("200 OK", Vec::new())
        } else {
            fs::read(folder.join(&path[1..])).map_or(("404 Not Found", Vec::new()), |file| ("200 OK", file))
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
        let mut stream = stream;
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
    }
}

#[test]
fn a_served_log_is_held_to_its_root_like_a_folder() {
    let log = Log::of(600);
    let (url, _) = serve(log.path());
    let audit = || {
        let opened = Reader::new(&url)?.audit(&log.vkey(), &[], |_, _| Ok::<_, LogError>(()))?;
        Ok::<_, LogError>(opened.checkpoint.size)
    };
    assert_eq!(audit().unwrap(), 600);
    let path = log.path().join("tile/0/001");
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, [bytes.as_slice(), b"more"].concat()).unwrap();
    assert!(matches!(audit(), Err(LogError::Long { max: 8_192, .. })));
    fs::write(&path, &bytes[..8_191]).unwrap();
    assert!(matches!(audit(), Err(LogError::Torn(tile)) if tile == "tile/0/001"));
    fs::remove_file(&path).unwrap();
    assert!(matches!(audit(), Err(LogError::Missing(tile)) if tile == "tile/0/001"));
    assert!(matches!(Reader::new("https://example.org"), Err(LogError::Https)));
}
