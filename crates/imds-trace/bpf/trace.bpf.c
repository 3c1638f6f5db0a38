// The kernel part of imds-trace: four small programs on cgroup hooks that tell user space who talks to the instance
// metadata service, and what the header of each request says.
//
//   connect4, connect6   the calling process connects: its identity is stored under the socket's cookie
//   egress               bytes of a request, with the identity that is stored for the socket
//   ingress              the status line of an answer, its IP TTL, and the end of a connection
//
// Only interfaces that the kernel keeps stable for user space: the contexts `bpf_sock_addr` and `__sk_buff`, and
// helpers. No kprobe, no BTF, no kernel header at run time. Kernel 5.8 or later (ring buffer).
//
// Every program lets everything pass: all of them return 1, whatever happens.
//
// No answer's body is ever copied: of an answer, only bytes that stand in a status line (`HTTP/1.1 200`).
//
// `bpf/build` compiles this file; `bpf/build --check` proves that trace.bpf.o comes from it.

#include <linux/bpf.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define SEC(name) __attribute__((section(name), used))
#define inline static __attribute__((always_inline)) inline
#define to_network16(x) __builtin_bswap16(x)
#define to_network32(x) __builtin_bswap32(x)

// Helpers, by the numbers that the kernel gives them.
static void *(*map_lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
static long (*map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)BPF_FUNC_map_update_elem;
static u64 (*time_ns)(void) = (void *)BPF_FUNC_ktime_get_ns;
static u64 (*current_pid_tgid)(void) = (void *)BPF_FUNC_get_current_pid_tgid;
static u64 (*current_uid_gid)(void) = (void *)BPF_FUNC_get_current_uid_gid;
static long (*current_comm)(void *buffer, u32 size) = (void *)BPF_FUNC_get_current_comm;
static u64 (*current_cgroup)(void) = (void *)BPF_FUNC_get_current_cgroup_id;
static u64 (*socket_cookie)(void *context) = (void *)BPF_FUNC_get_socket_cookie;
static u32 (*socket_uid)(struct __sk_buff *skb) = (void *)BPF_FUNC_get_socket_uid;
static u64 (*socket_cgroup)(struct __sk_buff *skb) = (void *)BPF_FUNC_skb_cgroup_id;
static long (*load_bytes)(const void *skb, u32 offset, void *to, u32 length) = (void *)BPF_FUNC_skb_load_bytes;
static void *(*ring_reserve)(void *ring, u64 size, u64 flags) = (void *)BPF_FUNC_ringbuf_reserve;
static u64 (*ring_query)(void *ring, u64 what) = (void *)BPF_FUNC_ringbuf_query;
static void (*ring_submit)(void *data, u64 flags) = (void *)BPF_FUNC_ringbuf_submit;

enum { TCP = 6, IP4 = 0x0800, IP6 = 0x86dd, FIN = 1, SYN = 2, RST = 4, STATUS = 12 };

// ---- What user space sets before it loads the programs.

#define ENDPOINTS 4

// An address of the service in network byte order, IPv4 as ::ffff:a.b.c.d; port 0 is an unused place.
struct endpoint {
    u32 address[4];
    u32 port;
};

const volatile struct endpoint endpoints[ENDPOINTS] SEC(".rodata");

// ---- What user space reads: src/trace/event.rs decodes it.

enum kind { CONNECT = 1, REQUEST = 2, ANSWER = 3, END = 4 };

// Flags of a connection.
enum {
    SEEN_CONNECT = 1, // the process that connected is known
    SEEN_START = 2,   // the sequence number of the first byte is known
    CLOSED_HERE = 4,  // the caller sent FIN
    CLOSED_THERE = 8, // the service sent FIN
    RESET = 16,
};

struct event {
    u64 time; // CLOCK_MONOTONIC
    u64 cookie;
    u64 cgroup; // id (inode number) in the cgroup v2 tree
    u32 pid;
    u32 tid;
    u32 uid;
    u32 offset;   // of the payload in what the caller has sent, where SEEN_START is set
    u32 length;   // of the payload in the packet
    u32 captured; // bytes of it in `data`
    u32 packets_out;
    u32 packets_in;
    u8 kind;
    u8 flags;
    u8 endpoint;
    u8 ttl; // IP TTL or hop limit of the answer
    u8 comm[16];
    u32 reserved;
    u8 data[];
};

#define HEADER sizeof(struct event)
_Static_assert(HEADER == 80, "src/trace/event.rs decodes this layout");

struct map {
    u32 type;
    u32 key_size;
    u32 value_size;
    u32 max_entries;
    u32 flags;
};

struct map SEC("maps") EVENTS = { .type = BPF_MAP_TYPE_RINGBUF, .max_entries = 4 << 20 };

// Events that did not fit into the ring, by kind.
struct map SEC("maps") LOST = { .type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 8 };

struct connection {
    u64 cgroup;
    u32 pid;
    u32 tid;
    u32 uid;
    u32 start; // sequence number of the first byte
    u32 packets_out;
    u32 packets_in;
    u32 answered; // bytes that came back since the last bytes of a request went out
    u32 endpoint;
    u32 flags;
    u8 comm[16];
};

// Keyed by socket cookie. A connection that drops out of it is from then on one whose process is unknown.
struct map SEC("maps") CONNECTIONS = {
    .type = BPF_MAP_TYPE_LRU_HASH,
    .key_size = 8,
    .value_size = sizeof(struct connection),
    .max_entries = 16384,
};

inline void count_lost(u32 kind) {
    u64 *count = map_lookup(&LOST, &kind);
    if (count)
        __sync_fetch_and_add(count, 1);
}

// The place of this address among the endpoints, or -1.
inline int endpoint_of(const u32 *address, u32 port) {
#pragma unroll
    for (int i = 0; i < ENDPOINTS; i++) {
        const volatile struct endpoint *e = &endpoints[i];
        if (e->port && e->address[3] == address[3] && e->address[2] == address[2] && e->address[1] == address[1] &&
            e->address[0] == address[0] && (!port || e->port == port))
            return i;
    }
    return -1;
}

inline void fill(struct event *event, u64 cookie, const struct connection *connection, u8 kind) {
    event->time = time_ns();
    event->cookie = cookie;
    event->cgroup = connection->cgroup;
    event->pid = connection->pid;
    event->tid = connection->tid;
    event->uid = connection->uid;
    event->offset = 0;
    event->length = 0;
    event->captured = 0;
    event->packets_out = connection->packets_out;
    event->packets_in = connection->packets_in;
    event->kind = kind;
    event->flags = connection->flags;
    event->endpoint = connection->endpoint;
    event->ttl = 0;
    event->reserved = 0;
    __builtin_memcpy(event->comm, connection->comm, sizeof(event->comm));
}

// ---- Connect: `current` is the caller here, and only here.

inline void connecting(struct bpf_sock_addr *context, const u32 *address) {
    if (context->protocol != TCP)
        return;
    int endpoint = endpoint_of(address, context->user_port);
    if (endpoint < 0)
        return;
    struct connection connection = {};
    u64 cookie = socket_cookie(context);
    u64 ids = current_pid_tgid();
    connection.cgroup = current_cgroup();
    connection.pid = ids >> 32;
    connection.tid = ids;
    connection.uid = current_uid_gid();
    connection.endpoint = endpoint;
    connection.flags = SEEN_CONNECT;
    current_comm(connection.comm, sizeof(connection.comm));
    map_update(&CONNECTIONS, &cookie, &connection, BPF_ANY);
    struct event *event = ring_reserve(&EVENTS, HEADER, 0);
    if (!event) {
        count_lost(CONNECT);
        return;
    }
    fill(event, cookie, &connection, CONNECT);
    // Waking the reader at once gives it the best chance to find the command line still there.
    ring_submit(event, BPF_RB_FORCE_WAKEUP);
}

SEC("cgroup/connect4") int connect4(struct bpf_sock_addr *context) {
    u32 address[4] = { 0, 0, to_network32(0xffff), context->user_ip4 };
    connecting(context, address);
    return 1;
}

SEC("cgroup/connect6") int connect6(struct bpf_sock_addr *context) {
    u32 address[4] = { context->user_ip6[0], context->user_ip6[1], context->user_ip6[2], context->user_ip6[3] };
    connecting(context, address);
    return 1;
}

// ---- Packets: `current` may be anybody here, so nothing is asked about it.

struct packet {
    u32 tcp;     // offset of the TCP header
    u32 payload; // offset of the payload
    u32 length;  // of the payload
    u32 sequence;
    int endpoint;
    u8 tcp_flags, ttl;
};

struct ip4 {
    u8 version_length, service;
    u16 length, id, fragment;
    u8 ttl, protocol;
    u16 checksum;
    u32 source, destination;
};

struct ip6 {
    u32 flow;
    u16 length;
    u8 next, hops;
    u32 source[4], destination[4];
};

struct tcp {
    u16 source, destination;
    u32 sequence, acknowledged;
    u8 offset, flags;
    u16 window;
};

// Whether the packet goes to an endpoint (`out`) or comes from one. Nearly every packet of the host ends at the first
// look at its address. IPv6 extension headers, which no host puts in front of such a request, are not followed.
inline int parse(struct __sk_buff *skb, struct packet *packet, int out) {
    u32 address[4] = { 0, 0, to_network32(0xffff), 0 };
    if (skb->protocol == to_network16(IP4)) {
        struct ip4 ip;
        if (load_bytes(skb, 0, &ip, sizeof(ip)) < 0 || ip.protocol != TCP)
            return 0;
        address[3] = out ? ip.destination : ip.source;
        packet->tcp = (ip.version_length & 15) * 4;
        packet->ttl = ip.ttl;
    } else if (skb->protocol == to_network16(IP6)) {
        struct ip6 ip;
        if (load_bytes(skb, 0, &ip, sizeof(ip)) < 0 || ip.next != TCP)
            return 0;
        __builtin_memcpy(address, out ? ip.destination : ip.source, sizeof(address));
        packet->tcp = sizeof(ip);
        packet->ttl = ip.hops;
    } else {
        return 0;
    }
    if (endpoint_of(address, 0) < 0)
        return 0;
    struct tcp tcp;
    if (load_bytes(skb, packet->tcp, &tcp, sizeof(tcp)) < 0)
        return 0;
    packet->endpoint = endpoint_of(address, out ? tcp.destination : tcp.source);
    if (packet->endpoint < 0)
        return 0;
    packet->sequence = to_network32(tcp.sequence);
    packet->tcp_flags = tcp.flags;
    packet->payload = packet->tcp + (tcp.offset >> 4) * 4;
    packet->length = skb->len > packet->payload ? skb->len - packet->payload : 0;
    return 1;
}

// The connection of this packet. One that was made before the programs were attached, or that fell out of the map, is
// entered with what its socket tells: the user, the cgroup, and no process.
inline struct connection *connection_of(struct __sk_buff *skb, u64 cookie, int endpoint) {
    struct connection *known = map_lookup(&CONNECTIONS, &cookie);
    if (known)
        return known;
    struct connection unknown = {};
    unknown.cgroup = socket_cgroup(skb);
    unknown.uid = socket_uid(skb);
    unknown.endpoint = endpoint;
    map_update(&CONNECTIONS, &cookie, &unknown, BPF_NOEXIST);
    return map_lookup(&CONNECTIONS, &cookie);
}

// `flag` is new for the connection: tells that, once.
inline void ended(u64 cookie, struct connection *connection, u32 flag) {
    if (connection->flags & flag)
        return;
    connection->flags |= flag;
    struct event *event = ring_reserve(&EVENTS, HEADER, 0);
    if (!event) {
        count_lost(END);
        return;
    }
    fill(event, cookie, connection, END);
    ring_submit(event, BPF_RB_NO_WAKEUP);
}

// Sends `length` bytes of a request, at most `size`, which is a constant as the ring demands.
inline void send_request(struct __sk_buff *skb, u64 cookie, struct connection *connection, struct packet *packet,
                         u32 size) {
    struct event *event = ring_reserve(&EVENTS, HEADER + size, 0);
    if (!event) {
        count_lost(REQUEST);
        return;
    }
    fill(event, cookie, connection, REQUEST);
    event->offset = packet->sequence - connection->start;
    event->length = packet->length;
    u64 length = packet->length;
    // The compiler knows the bounds already; the kernel's verifier has to see them here.
    asm volatile("" : "+r"(length));
    if (length > size)
        length = size;
    // Before Linux 6.8 the verifier learns from a comparison with a bound that a length is not 0, and not from `!= 0`.
    length--;
    asm volatile("" : "+r"(length));
    if (length < size && load_bytes(skb, packet->payload, event->data, length + 1) == 0)
        event->captured = length + 1;
    // The reader looks by itself while it knows of a connection: waking it is most of what an event
    // costs. It does not know of a connection older than itself, and it has to come before the ring
    // is full.
    int wake = !(connection->flags & SEEN_CONNECT) ||
               ring_query(&EVENTS, BPF_RB_AVAIL_DATA) > ring_query(&EVENTS, BPF_RB_RING_SIZE) / 4;
    ring_submit(event, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

SEC("cgroup_skb/egress") int egress(struct __sk_buff *skb) {
    struct packet packet = {};
    if (!parse(skb, &packet, 1))
        return 1;
    u64 cookie = socket_cookie(skb);
    struct connection *connection = connection_of(skb, cookie, packet.endpoint);
    if (!connection)
        return 1;
    __sync_fetch_and_add(&connection->packets_out, 1);
    if (packet.tcp_flags & SYN) {
        connection->start = packet.sequence + 1;
        connection->flags |= SEEN_START;
    }
    if (packet.length) {
        connection->answered = 0;
        if (packet.length <= 256)
            send_request(skb, cookie, connection, &packet, 256);
        else if (packet.length <= 1024)
            send_request(skb, cookie, connection, &packet, 1024);
        else
            send_request(skb, cookie, connection, &packet, 4096);
    }
    if (packet.tcp_flags & RST)
        ended(cookie, connection, RESET);
    else if (packet.tcp_flags & FIN)
        ended(cookie, connection, CLOSED_HERE);
    return 1;
}

// Whether `byte` can stand at `place` of a status line.
inline int in_status_line(u8 byte, u32 place) {
    const char line[STATUS] = "HTTP/0.0 000";
    u8 wanted = line[place];
    return wanted == '0' ? byte >= '0' && byte <= '9' : byte == wanted;
}

// Sends the part of the status line that this packet holds, and nothing that is no status line.
inline void send_answer(struct __sk_buff *skb, u64 cookie, struct connection *connection, struct packet *packet) {
    u32 answered = connection->answered;
    connection->answered = answered + packet->length;
    if (answered >= STATUS)
        return;
    u8 bytes[STATUS] = {};
    u32 count = 0;
#pragma unroll
    for (u32 i = 0; i < STATUS; i++) {
        if (answered + i >= STATUS || i >= packet->length)
            break;
        if (load_bytes(skb, packet->payload + i, &bytes[i], 1) < 0 || !in_status_line(bytes[i], answered + i))
            return;
        count = i + 1;
    }
    struct event *event = ring_reserve(&EVENTS, HEADER + 16, 0);
    if (!event) {
        count_lost(ANSWER);
        return;
    }
    fill(event, cookie, connection, ANSWER);
    event->offset = answered;
    event->length = packet->length;
    event->captured = count;
    event->ttl = packet->ttl;
    __builtin_memcpy(event->data, bytes, STATUS);
    ring_submit(event, BPF_RB_NO_WAKEUP);
}

SEC("cgroup_skb/ingress") int ingress(struct __sk_buff *skb) {
    struct packet packet = {};
    if (!parse(skb, &packet, 0))
        return 1;
    u64 cookie = socket_cookie(skb);
    struct connection *connection = connection_of(skb, cookie, packet.endpoint);
    if (!connection)
        return 1;
    __sync_fetch_and_add(&connection->packets_in, 1);
    if (packet.length)
        send_answer(skb, cookie, connection, &packet);
    if (packet.tcp_flags & RST)
        ended(cookie, connection, RESET);
    else if (packet.tcp_flags & FIN)
        ended(cookie, connection, CLOSED_THERE);
    return 1;
}

// No helper above is for GPL programs alone.
char LICENSE[] SEC("license") = "MIT OR Apache-2.0";
