//! The other end: a process that throws away what comes in.

use std::io::{IoSliceMut, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, MultiHeaders, recv, recvmmsg};
use socket2::{Domain, Socket, Type};

use super::plan::Over;

/// Event numbers: what is neither is a stream's place.
const STDIN: u64 = u64::MAX;
const LISTENER: u64 = u64::MAX - 1;

/// Datagrams taken with one call.
const DATAGRAMS: usize = 32;

struct Sink {
    epoll: Epoll,
    streams: Vec<Box<dyn AsRawFd>>,
    listener: Option<TcpListener>,
    over: Over,
    octets: u64,
    scratch: Vec<u8>,
}

/// Takes everything until standard input ends. Says its ports first, one for all connections or
/// one for each stream of datagrams, and last how many octets came in.
pub fn run(over: Over, streams: usize) {
    let mut sink = Sink {
        epoll: Epoll::new(EpollCreateFlags::empty()).expect("epoll"),
        streams: Vec::new(),
        listener: None,
        over,
        octets: 0,
        scratch: vec![0; 1 << 20],
    };
    sink.watch(std::io::stdin(), STDIN);
    let ports = match over {
        Over::Tcp => vec![sink.listen()],
        Over::Udp => (0..streams).map(|_| sink.bind()).collect(),
    };
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    println!("{}", ports.join(" "));
    std::io::stdout().flush().expect("somebody listens");
    sink.drain();
    println!("{}", sink.octets);
}

impl Sink {
    fn watch(&self, what: impl AsFd, number: u64) {
        let event = EpollEvent::new(EpollFlags::EPOLLIN, number);
        self.epoll.add(what, event).expect("epoll takes it");
    }

    fn listen(&mut self) -> u16 {
        const BACKLOG: i32 = 4096;
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        socket.bind(&any.into()).expect("a port");
        socket.listen(BACKLOG).expect("listening");
        let listener = TcpListener::from(socket);
        let port = listener.local_addr().expect("an address").port();
        self.watch(&listener, LISTENER);
        self.listener = Some(listener);
        port
    }

    fn bind(&mut self) -> u16 {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        socket.set_nonblocking(true).expect("non-blocking");
        let port = socket.local_addr().expect("an address").port();
        self.watch(&socket, self.streams.len() as u64);
        self.streams.push(Box::new(socket));
        port
    }

    fn accept(&mut self) {
        let Some(Ok((stream, _))) = self.listener.as_ref().map(TcpListener::accept) else {
            return;
        };
        stream.set_nonblocking(true).expect("non-blocking");
        self.watch(&stream, self.streams.len() as u64);
        self.streams.push(Box::new(stream));
    }

    fn drain(&mut self) {
        let mut events = vec![EpollEvent::empty(); 512];
        loop {
            let ready = self.epoll.wait(&mut events, EpollTimeout::NONE);
            for event in events.iter().take(ready.unwrap_or(0)) {
                match event.data() {
                    STDIN => return,
                    LISTENER => self.accept(),
                    place => self.take(place as usize),
                }
            }
        }
    }

    fn take(&mut self, place: usize) {
        let stream = self.streams[place].as_raw_fd();
        match self.over {
            Over::Tcp => match recv(stream, &mut self.scratch, MsgFlags::MSG_TRUNC) {
                Ok(0) | Err(Errno::ECONNRESET) => self.close(place),
                taken => self.octets += taken.unwrap_or(0) as u64,
            },
            Over::Udp => self.octets += datagrams(stream),
        }
    }

    /// Nothing is closed that the sender still writes to: it has ended.
    fn close(&mut self, place: usize) {
        self.streams[place] = Box::new(std::io::stderr());
    }
}

fn datagrams(socket: i32) -> u64 {
    let mut octets = [[0; 1]; DATAGRAMS];
    let mut slices: Vec<[IoSliceMut<'_>; 1]> = octets
        .iter_mut()
        .map(|one| [IoSliceMut::new(one)])
        .collect();
    let mut headers = MultiHeaders::<()>::preallocate(DATAGRAMS, None);
    let taken = recvmmsg(socket, &mut headers, &mut slices, MsgFlags::MSG_TRUNC, None);
    taken.map_or(0, |all| all.map(|one| one.bytes as u64).sum())
}
