//! HTTP/1.1 as a client: one request per connection, with bounds of time and size.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, Response, Uri, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::node::{Fetched, HttpMethod, Job, JobFailure, JobOutcome};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// Does one job: nothing of what comes is kept but its length.
pub(super) async fn carry_out(job: &Job) -> JobOutcome {
    let whole = timeout(job.patience, exchange(job)).await;
    whole.unwrap_or(Err(JobFailure::Timeout))
}

async fn exchange(job: &Job) -> JobOutcome {
    let (host, port, request) = request(job).await?;
    let connecting = timeout(CONNECT, TcpStream::connect((host.as_str(), port)));
    let stream = match connecting.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(JobFailure::Unreachable(error.to_string())),
        Err(_) => return Err(JobFailure::Timeout),
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| broken(&error))?;
    let talk = async move {
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| broken(&error))?;
        take(response, job.limit).await
    };
    tokio::pin!(talk, connection);
    tokio::select! {
        done = &mut talk => done,
        // The connection may end before what it has brought is read.
        _ = &mut connection => talk.await,
    }
}

/// What is asked, and of whom.
async fn request(job: &Job) -> Result<(String, u16, Request<Full<Bytes>>), JobFailure> {
    let uri: Uri = job.url.trim().parse().map_err(|_| JobFailure::Url)?;
    let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http"));
    let authority = authority.ok_or(JobFailure::Url)?;
    let host = authority.host().trim_matches(['[', ']']).to_owned();
    let port = authority.port_u16().unwrap_or(80);
    let target = uri.path_and_query().map_or("/", |path| path.as_str());
    let named = match authority.as_str().rsplit_once('@') {
        Some((_, named)) => named,
        None => authority.as_str(),
    };
    let method = match job.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
    };
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header(HOST, named)
        .header(USER_AGENT, "vcam")
        .header(CONNECTION, "close");
    let (request, octets) = match &job.body {
        None => (request, Bytes::new()),
        Some((content_type, body)) => {
            let body = body.clone();
            let drawn = tokio::task::spawn_blocking(move || body.octets()).await;
            let octets = drawn.map_err(|error| JobFailure::Broken(error.to_string()))?;
            (request.header(CONTENT_TYPE, content_type), octets)
        }
    };
    let request = request.body(Full::new(octets));
    Ok((host, port, request.map_err(|_| JobFailure::Url)?))
}

/// Reads an answer to its end.
async fn take(response: Response<Incoming>, limit: u64) -> JobOutcome {
    let status = response.status().as_u16();
    let mut body = response.into_body();
    let mut octets = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| broken(&error))?;
        let more = frame.data_ref().map_or(0, Bytes::len);
        octets = octets.saturating_add(more as u64);
        if octets > limit {
            return Err(JobFailure::TooLarge);
        }
    }
    Ok(Fetched { status, octets })
}

fn broken(error: &hyper::Error) -> JobFailure {
    JobFailure::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Still;
    use crate::node::JobBody;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinHandle;

    /// A server for one request, which it gives back; it answers these octets once it has come
    /// whole, or never.
    async fn server(answer: Option<&'static str>) -> (String, JoinHandle<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a/b?c=d", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut got, mut buffer) = (Vec::new(), [0; 4096]);
            while !is_whole(&got) {
                match stream.read(&mut buffer).await.unwrap() {
                    0 => return got,
                    n => got.extend_from_slice(&buffer[..n]),
                }
            }
            match answer {
                Some(answer) => stream.write_all(answer.as_bytes()).await.unwrap(),
                None => std::future::pending().await,
            }
            got
        });
        (url, served)
    }

    fn is_whole(request: &[u8]) -> bool {
        let text = String::from_utf8_lossy(request);
        let Some(head) = text
            .split("\r\n\r\n")
            .next()
            .filter(|head| head.len() < text.len())
        else {
            return false;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map_or(0, |length| length.parse().unwrap());
        request.len() >= head.len() + 4 + length
    }

    fn fetch(url: &str) -> Job {
        Job {
            method: HttpMethod::Get,
            url: url.to_owned(),
            body: None,
            limit: 10,
            patience: Duration::from_secs(20),
        }
    }

    #[tokio::test]
    async fn a_file_is_fetched_whole_however_its_length_is_told() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
        ] {
            let (url, served) = server(Some(answer)).await;
            let done = carry_out(&fetch(&url)).await;
            let (status, octets) = (200, 5);
            assert_eq!(done, Ok(Fetched { status, octets }), "{answer}");
            let request = String::from_utf8(served.await.unwrap()).unwrap();
            assert!(
                request.starts_with("GET /a/b?c=d HTTP/1.1\r\n"),
                "{request}"
            );
            assert!(request.contains("\r\nhost: 127.0.0.1:"), "{request}");
        }
    }

    #[tokio::test]
    async fn a_picture_is_delivered_with_its_length_and_type() {
        let (url, served) = server(Some("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")).await;
        let body = JobBody {
            head: Bytes::from_static(b"before"),
            picture: Still {
                width: 64,
                height: 64,
                lines: Vec::new(),
            },
            tail: Bytes::from_static(b"behind"),
        };
        let whole = body.octets();
        let job = Job {
            method: HttpMethod::Post,
            body: Some(("image/jpeg".to_owned(), body)),
            ..fetch(&url)
        };
        let (status, octets) = (500, 0);
        assert_eq!(carry_out(&job).await, Ok(Fetched { status, octets }));
        let request = served.await.unwrap();
        assert!(request.starts_with(b"POST /a/b?c=d HTTP/1.1\r\n"));
        assert!(request.ends_with(&whole));
        let text = String::from_utf8_lossy(&request);
        assert!(text.contains("\r\ncontent-type: image/jpeg\r\n"), "{text}");
    }

    #[tokio::test]
    async fn what_is_too_large_breaks_off_or_is_no_http_is_told_apart() {
        let large = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890";
        let (url, _served) = server(Some(large)).await;
        assert_eq!(carry_out(&fetch(&url)).await, Err(JobFailure::TooLarge));
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
            "SIP/2.0 200 OK\r\n\r\n",
            "",
        ] {
            let (url, _served) = server(Some(answer)).await;
            let done = carry_out(&fetch(&url)).await;
            assert!(matches!(done, Err(JobFailure::Broken(_))), "{done:?}");
        }
    }

    #[tokio::test]
    async fn nobody_and_no_address_are_failures_at_once() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", closed.local_addr().unwrap());
        drop(closed);
        let done = carry_out(&fetch(&url)).await;
        assert!(matches!(done, Err(JobFailure::Unreachable(_))), "{done:?}");
        for url in [
            "",
            "ftp://127.0.0.1/",
            "http://",
            "https://127.0.0.1/",
            "/file",
            "\r\n: x",
        ] {
            assert_eq!(carry_out(&fetch(url)).await, Err(JobFailure::Url), "{url}");
        }
    }

    #[tokio::test]
    async fn a_server_that_hangs_is_given_up() {
        let (url, _served) = server(None).await;
        let job = Job {
            patience: Duration::from_millis(300),
            ..fetch(&url)
        };
        assert_eq!(carry_out(&job).await, Err(JobFailure::Timeout));
    }
}
