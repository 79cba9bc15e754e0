/** How the `hatoba` process ends; documented in docs/errors.md and relied on by scripts. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  conflict: 4,
  forbidden: 5,
  unreachable: 6,
  timedOut: 7,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface ErrorKind {
  /** HTTP status under which the API answers with this error. */
  readonly status: number;
  readonly exit: ExitCode;
  /** One sentence that quotes the offending value; `{name}` marks a parameter. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
}

const invalid = { status: 400, exit: EXIT.usage } as const;
const internal = { status: 500, exit: EXIT.failed } as const;

/** Every error a user can meet, by its stable code. docs/errors.md is checked against it. */
export const ERRORS = {
  address_malformed: {
    ...invalid,
    message: '{value} is not an IP address',
    hint: 'Write IPv4 as four numbers up to 255 (192.168.50.11), IPv6 in hexadecimal groups (2001:db8::1).',
  },
  address_not_dotted_quad: {
    ...invalid,
    message: '{value} is a shortened or hexadecimal IPv4 address, which programs read differently',
    hint: 'Write all four numbers in decimal, for example 192.168.50.11.',
  },
  address_leading_zero: {
    ...invalid,
    message: '{value} has a number with a leading zero, which some programs read as octal',
    hint: 'Drop the leading zeros.',
  },
  address_zone: {
    ...invalid,
    message: '{value} names an interface with %, which has no meaning on a router',
    hint: 'Use a global or unique local address without a zone.',
  },
  address_ipv4_mapped: {
    ...invalid,
    message: '{value} is an IPv4 address dressed as IPv6',
    hint: 'Write the IPv4 address itself: {ipv4}.',
  },
  address_unspecified: {
    ...invalid,
    message: '{value} is not the address of any machine',
    hint: 'Use the address of one machine; leave the external address out to use the gateway address.',
  },
  address_loopback: {
    ...invalid,
    message: '{value} is a loopback address, which never leaves the machine',
    hint: 'Use the address that the service has on the inner network.',
  },
  address_link_local: {
    ...invalid,
    message: '{value} is a link-local address, which routers do not forward',
    hint: 'Use a global, private or unique local address.',
  },
  address_multicast: {
    ...invalid,
    message: '{value} is a multicast address',
    hint: 'A forward leads to one machine: use its unicast address.',
  },
  address_broadcast: {
    ...invalid,
    message: '{value} is the broadcast address',
    hint: 'A forward leads to one machine: use its unicast address.',
  },
  address_reserved: {
    ...invalid,
    message: '{value} lies in a reserved range',
    hint: 'Use an address of the inner network, or one that the router really has outside.',
  },
  address_family_mismatch: {
    ...invalid,
    message: '{external} and {internal} are of different address families',
    hint: 'Both sides of a forward are IPv4, or both are IPv6.',
  },
  cidr_malformed: {
    ...invalid,
    message: '{value} is not a network in CIDR form',
    hint: 'Write an address and a prefix length, for example 203.0.113.0/24 or 2001:db8::/32.',
  },
  cidr_host_bits: {
    ...invalid,
    message: '{value} has bits set behind its prefix length',
    hint: 'Did you mean {network}?',
  },
  cidr_family_mismatch: {
    ...invalid,
    message: 'the source {value} is not of the same address family as the forward',
    hint: 'Name sources of the same family as the internal address.',
  },
  port_malformed: {
    ...invalid,
    message: '{value} is not a port or a range of ports',
    hint: 'Write a decimal number from 1 to 65535 (5001), or two with a hyphen (5001-5010).',
  },
  port_out_of_range: {
    ...invalid,
    message: 'port {value} does not exist',
    hint: 'Ports go from 1 to 65535.',
  },
  port_range_reversed: {
    ...invalid,
    message: 'the range {value} ends before it begins',
    hint: 'Did you mean {reversed}?',
  },
  port_range_size_mismatch: {
    ...invalid,
    message: 'external ports {external} and internal ports {internal} are not equally many',
    hint: 'Use ranges of the same size, or one internal port for all external ones.',
  },
  port_not_single: {
    ...invalid,
    message: '{value} is a range of ports, and a packet has one port',
    hint: 'Name one port, for example 5001.',
  },
  packet_family_mismatch: {
    ...invalid,
    message: 'no packet goes from {source} to {destination}, which is of another address family',
    hint: 'Name a source of the same family as the destination: both IPv4, or both IPv6.',
  },
  internal_port_required: {
    ...invalid,
    message: 'with {value} as the external port, the internal port cannot be left out',
    hint: 'Name the port that the service has, for example 192.168.50.11:22.',
  },
  time_malformed: {
    ...invalid,
    message: '{value} is not a time',
    hint: 'Write it like 2030-12-24T18:30:00Z or 2030-12-25T03:30:00+09:00 (RFC 3339); the command line also takes 45s, 30m, 2h, 7d.',
  },
  expiry_past: {
    ...invalid,
    message: 'nothing can end at {value}, which has passed',
    hint: 'Name a time to come: the clock of the daemon says {now}.',
  },
  protocol_unknown: {
    ...invalid,
    message: '{value} is not a protocol that has ports',
    hint: 'Use one of tcp, udp, sctp, dccp, udplite.',
  },
  name_malformed: {
    ...invalid,
    message: '{value} cannot be a name',
    hint: 'Use 1 to 63 letters, digits, dots, hyphens and underscores, beginning with a letter, and not the form of an id.',
  },
  text_malformed: {
    ...invalid,
    message: '{value} is too long, or has control characters or broken Unicode',
    hint: 'Use up to 255 printable characters.',
  },
  description_malformed: {
    ...invalid,
    message: 'the description {value} is too long, or has control characters or broken Unicode',
    hint: 'Use up to 1024 printable characters.',
  },
  router_malformed: {
    ...invalid,
    message: '{value} cannot be a router',
    hint: "Give the Neutron router's UUID, the name of its network namespace, or host.",
  },
  router_required: {
    ...invalid,
    message: 'there are {count} routers, so it has to be said which one is meant',
    hint: 'Name the router (--router); `hatoba router list` shows them.',
  },
  request_malformed: {
    ...invalid,
    message: 'the request is not understood: {reason}',
    hint: 'Compare it with the API description in docs/api.md.',
  },
  usage_malformed: {
    ...invalid,
    message: '{reason}',
    hint: 'Run the command with --help to see its form and examples.',
  },
  item_repeated: {
    ...invalid,
    message: 'the forward {value} is there twice, for the first time as item {first}',
    hint: 'Leave one of them out, or give each an id of its own.',
  },
  file_unreadable: {
    ...invalid,
    message: '{file} cannot be read: {reason}',
    hint: 'Name a file that is there, or - for standard input.',
  },
  file_malformed: {
    ...invalid,
    message: '{file} is not understood: {reason}',
    hint: 'docs/operations.md shows what such a file looks like.',
  },
  file_router_unknown: {
    ...invalid,
    message: 'the name of {file} does not tell which router it is of',
    hint: 'Name the router with --router, or the file after the namespace: qrouter-<uuid>.',
  },
  config_malformed: {
    ...invalid,
    message: '{file}: {reason}',
    hint: 'docs/operations.md lists every key of the configuration.',
  },
  forward_not_found: {
    status: 404,
    exit: EXIT.notFound,
    message: 'there is no forward {value}',
    hint: '`hatoba forward list` shows them all.',
  },
  router_not_found: {
    status: 404,
    exit: EXIT.notFound,
    message: 'no node has a router {value}',
    hint: '`hatoba router list` shows them all.',
  },
  token_not_found: {
    status: 404,
    exit: EXIT.notFound,
    message: 'there is no API token {value}',
    hint: '`hatoba token list` shows them all.',
  },
  path_not_found: {
    status: 404,
    exit: EXIT.notFound,
    message: 'there is nothing at {value}',
    hint: 'Compare the path with the API description in docs/api.md.',
  },
  reference_ambiguous: {
    status: 409,
    exit: EXIT.conflict,
    message: '{value} fits {count} forwards',
    hint: 'Give more characters of the id.',
  },
  router_ambiguous: {
    status: 409,
    exit: EXIT.conflict,
    message: '{value} fits {count} routers',
    hint: 'Give more characters of the id.',
  },
  token_ambiguous: {
    status: 409,
    exit: EXIT.conflict,
    message: '{value} fits {count} API tokens',
    hint: 'Give more characters of the id.',
  },
  token_name_taken: {
    status: 409,
    exit: EXIT.conflict,
    message: 'an API token named {value} exists already',
    hint: 'Choose another name, or revoke that token first.',
  },
  forward_conflict: {
    status: 409,
    exit: EXIT.conflict,
    message: '{protocol} port {port} on {address} already leads elsewhere, by {other}',
    hint: 'Choose another external port, or remove or change that forward.',
  },
  auto_ports_exhausted: {
    status: 409,
    exit: EXIT.conflict,
    message: 'the pool of ports {pool} has no {wanted} left for {protocol} on router {router}',
    hint: 'Remove forwards that nobody needs, name a port yourself, or configure a larger pool (auto_ports).',
  },
  quota_exceeded: {
    status: 409,
    exit: EXIT.conflict,
    message: 'the project may have {quota} forwards and has {used}, so there is no room for {wanted} more',
    hint: 'Remove forwards that nobody needs, or ask whoever runs this for a larger quota.',
  },
  name_taken: {
    status: 409,
    exit: EXIT.conflict,
    message: 'a forward named {value} exists already',
    hint: 'Choose another name, or remove or change that forward.',
  },
  store_not_empty: {
    status: 409,
    exit: EXIT.conflict,
    message: 'there are {count} forwards already, so nothing was restored',
    hint: 'Restore with --replace to have only what the backup has, or use `hatoba apply` to add to them.',
  },
  revision_mismatch: {
    status: 412,
    exit: EXIT.conflict,
    message: 'the forward {value} has changed: it is at revision {actual}, not {expected}',
    hint: 'Read it again, then repeat the change.',
  },
  request_repeated: {
    status: 409,
    exit: EXIT.conflict,
    message: 'a request with the Idempotency-Key {value} has just been answered',
    hint: 'Send it once more to have that answer.',
  },
  idempotency_key_reused: {
    status: 422,
    exit: EXIT.usage,
    message: 'the Idempotency-Key {value} was used for another request',
    hint: 'Give each request a key of its own, and a key again only to the very same request.',
  },
  store_contended: {
    status: 503,
    exit: EXIT.failed,
    message: 'the router {value} is being changed by so many others that this change found no turn',
    hint: 'Try again.',
  },
  body_too_large: {
    status: 413,
    exit: EXIT.usage,
    message: 'the request body is larger than {limit} bytes',
    hint: 'Send less in one request.',
  },
  head_too_large: {
    status: 431,
    exit: EXIT.usage,
    message: "the request's address and headers together are larger than {limit} bytes",
    hint: 'Leave headers out that are not for this daemon, such as cookies; what is long belongs into the body.',
  },
  daemon_unreachable: {
    status: 503,
    exit: EXIT.unreachable,
    message: 'no daemon answers at {value}: {reason}',
    hint: 'Start it with `hatoba serve`, or say where it is with --socket or --url.',
  },
  certificate_untrusted: {
    status: 503,
    exit: EXIT.unreachable,
    message: 'who answers at {value} does not prove to be it: {reason}',
    hint: 'Name the file with the certificate of its authority in HATOBA_CA_FILE, and the daemon as its certificate does.',
  },
  daemon_running: {
    status: 409,
    exit: EXIT.conflict,
    message: 'another daemon is already listening on {value}',
    hint: 'Stop it, or give this one a socket of its own with --socket.',
  },
  listen_malformed: {
    ...invalid,
    message: '{value} is no address to listen on',
    hint: 'Write ADDR:PORT: 127.0.0.1:9797, localhost:9797, or with IPv6 in brackets [::1]:9797.',
  },
  listen_unprotected: {
    ...invalid,
    message:
      'on {value} anybody who can reach this machine could change forwards, since nobody would be asked who they are',
    hint: 'Listen on 127.0.0.1, or configure authentication: docs/operations.md tells how.',
  },
  address_unusable: {
    ...internal,
    message: '{value} cannot be listened on: {reason}',
    hint: 'Name another address with --listen, or stop whoever has it.',
  },
  key_pair_unusable: {
    ...internal,
    message: '{file} cannot be used for TLS: {reason}',
    hint: 'Give the certificate, with those that lead to its authority behind it, and the key that belongs to it, without a password; both in PEM.',
  },
  not_authenticated: {
    status: 401,
    exit: EXIT.forbidden,
    message: 'it is not known who asks: {reason}',
    hint: 'Give a token: HATOBA_TOKEN for the command line, the header Authorization: Bearer TOKEN for the API.',
  },
  too_many_requests: {
    status: 429,
    exit: EXIT.failed,
    message: '{what} more often than {limit} times a second',
    hint: 'Wait for {seconds} s, as Retry-After says, and ask less often.',
  },
  answers_exhausted: {
    status: 503,
    exit: EXIT.failed,
    message:
      'long answers that have not been read yet fill the {limit} MiB of this caller, or the {total} MiB of all callers',
    hint: 'Read the answers that were asked for, and try again in {seconds} s, as Retry-After says.',
  },
  role_missing: {
    status: 403,
    exit: EXIT.forbidden,
    message: '{caller} is a {role}, and only a caller with the role {needed} may do that',
    hint: 'Ask whoever runs hatoba for a token with that role.',
  },
  all_projects_needed: {
    status: 403,
    exit: EXIT.forbidden,
    message: '{caller} acts for one project, and that is for those who see all of them',
    hint: 'Ask whoever runs hatoba, or use a token that is bound to no project.',
  },
  host_not_local: {
    status: 403,
    exit: EXIT.forbidden,
    message: '{value} is not how this machine calls itself',
    hint: 'Use 127.0.0.1 or localhost in the URL; from elsewhere, authentication is needed.',
  },
  socket_unusable: {
    ...internal,
    message: '{value} cannot be the socket of the API: {reason}',
    hint: 'Name another place with --socket, or make room for it there.',
  },
  wait_timed_out: {
    status: 504,
    exit: EXIT.timedOut,
    message: 'forward {value} is stored, but was not in the kernel after {seconds} s: {reason}',
    hint: '`hatoba forward show` tells its state; it is applied as soon as that is possible.',
  },
  apply_timed_out: {
    status: 504,
    exit: EXIT.timedOut,
    message: '{count} changes are stored, but were not all in the kernel after {seconds} s',
    hint: '`hatoba router list` tells which node is behind; it follows as soon as that is possible.',
  },
  import_incomplete: {
    ...internal,
    message: '{count} of {total} DNAT rules were not taken over',
    hint: 'The list above says why; what was taken over stays. Add the others by hand as they are meant.',
  },
  adopt_incomplete: {
    ...internal,
    message: '{count} of {total} DNAT rules stay as they are',
    hint: 'The list above says why. Add forwards for them by hand as they are meant, then remove them.',
  },
  rules_bypassed: {
    ...internal,
    message: 'rules that packets of forwards no longer come to: {count}',
    hint: 'The list above names them. What they report of these packets is missing from now on; put such rules into table raw or mangle.',
  },
  recover_incomplete: {
    status: 409,
    exit: EXIT.conflict,
    message: '{count} of {total} orphaned forwards were not made forwards again',
    hint: 'The list above says why. Remove the stored forward that is in the way and repeat it, or take what is left out of the kernel with `hatoba cleanup`.',
  },
  rules_unreadable: {
    ...internal,
    message: 'not all rules could be read: {reason}',
    hint: 'Rules that cannot be read stay as they are. Install the program, or see what it says when it is run by hand.',
  },
  adopt_changed: {
    status: 409,
    exit: EXIT.conflict,
    message: 'the rules in router {router} or its forwards have changed since the plan was made',
    hint: 'Nothing was changed; look at the plan again.',
  },
  removal_timed_out: {
    status: 504,
    exit: EXIT.timedOut,
    message: 'forward {value} is removed, but was still in a kernel after {seconds} s',
    hint: '`hatoba router show` tells which node is behind; it follows as soon as that is possible.',
  },
  no_packet: {
    status: 504,
    exit: EXIT.timedOut,
    message: 'no such packet came to the router on node {node} within {seconds} s',
    hint: 'Send one while the command waits; where it does not come, look before the router: `tcpdump` on its outside interface.',
  },
  not_applied: {
    ...internal,
    message: 'forward {value} is stored, but cannot be applied: {reason}',
    hint: '`hatoba forward show` tells its state on each node.',
  },
  not_permitted: {
    status: 403,
    exit: EXIT.forbidden,
    message: 'not permitted: {reason}',
    hint: 'Run it as root, or as a member of the group hatoba.',
  },
  roles_useless: {
    status: 403,
    exit: EXIT.forbidden,
    message: 'the roles of {user} give no right here: {roles}',
    hint: 'Ask an administrator for one of these roles: {needed}.',
  },
  token_unscoped: {
    status: 403,
    exit: EXIT.forbidden,
    message: 'the token of {user} is not for any project',
    hint: 'Ask Keystone for a token of a project (OS_PROJECT_NAME, or --os-project-name).',
  },
  authentication_unavailable: {
    status: 503,
    exit: EXIT.failed,
    message: 'the token cannot be checked at the moment: {reason}',
    hint: "Try again. If it lasts, the operator finds more in the daemon's log.",
  },
  project_not_allowed: {
    status: 403,
    exit: EXIT.forbidden,
    message: 'forwards of project {value} are not yours to make',
    hint: 'Leave the project out: what you make belongs to your own.',
  },
  port_not_permitted: {
    status: 403,
    exit: EXIT.forbidden,
    message: 'on router {router} your project may have the external ports {permitted}, so not {value}',
    hint: 'Choose among these, or leave the choice to the daemon with auto.',
  },
  address_not_permitted: {
    status: 403,
    exit: EXIT.forbidden,
    message: 'on router {router} your project may not have the external address {value}',
    hint: "Leave the address out, for the router's own, or ask whoever runs hatoba for it (external_addresses).",
  },
  store_unreadable: {
    ...internal,
    message: 'the database {file} cannot be used: {reason}',
    hint: 'It was left as it is. Restore a backup, or move it away to start with an empty one.',
  },
  store_newer: {
    ...internal,
    message: 'the database {file} was written by a newer version (schema {found}, this one knows {known})',
    hint: 'Install that version again. The database was left as it is.',
  },
  store_in_use: {
    status: 503,
    exit: EXIT.failed,
    message: 'the database {file} is in use by another process',
    hint: 'Stop the other daemon, or give this one a database of its own with --store.',
  },
  store_full: {
    status: 507,
    exit: EXIT.failed,
    message: 'nothing was changed: the disk of {file} is full',
    hint: 'Free some space, then repeat the change.',
  },
  store_read_only: {
    status: 503,
    exit: EXIT.failed,
    message: 'nothing was changed: {file} cannot be written',
    hint: "Make the file and its directory writable for the daemon's user.",
  },
  store_unavailable: {
    status: 503,
    exit: EXIT.failed,
    message: '{file} {reason} while the daemon had it open, so changes are not accepted',
    hint: 'The forwards in the kernel stay. Save what the daemon still knows with `hatoba backup > FILE`, stop it, put the database back, start it, and compare: `hatoba restore --replace < FILE`.',
  },
  store_failed: {
    ...internal,
    message: 'the store failed: {reason}',
    hint: "Nothing was changed. The daemon's log says more.",
  },
  store_compacted: {
    status: 410,
    exit: EXIT.failed,
    message: 'changes since revision {value} are no longer kept',
    hint: 'Read the current state, then watch from its revision.',
  },
  daemon_stopping: {
    status: 503,
    exit: EXIT.unreachable,
    message: 'the daemon stopped before the {seconds} s were over in which a packet was waited for',
    hint: 'Ask again when it is back: `systemctl status hatoba` tells.',
  },
  not_ready: {
    status: 503,
    exit: EXIT.unreachable,
    message: 'the daemon cannot do its work at the moment: {reason}',
    hint: 'Look into its log. If it does not recover within a minute, the service manager restarts it.',
  },
  neutron_unavailable: {
    status: 503,
    exit: EXIT.unreachable,
    message: 'the Neutron behind this does not answer as it should: {reason}',
    hint: "Nothing was changed. Try again. If it lasts, the operator finds more in the daemon's log: whether neutron-server runs, and `neutron.upstream` in the configuration leads to it.",
  },
  kernel_unsupported: {
    ...internal,
    message: 'this machine lacks what the data plane needs: {reason}',
    hint: 'Install the packages nftables and libnftables1, and run the daemon as root on Linux 5.10 or newer.',
  },
  kernel_refused: {
    ...internal,
    message: 'the kernel refused a change in namespace {namespace}: {reason}',
    hint: 'The daemon tries again by itself; `hatoba router show` tells how it stands.',
  },
  watches_exhausted: {
    status: 503,
    exit: EXIT.failed,
    message: 'packets are being waited for in {namespace} {count} times already',
    hint: 'Try again when one of these traces has ended.',
  },
  router_elsewhere: {
    status: 409,
    exit: EXIT.conflict,
    message: 'this node ({node}) does not have the router {router} at present',
    hint: 'Ask the node that has it: `hatoba router show` tells which does.',
  },
  kernel_stopped: {
    ...internal,
    message: 'the kernel worker has ended: {reason}',
    hint: "The daemon's log says why; the service manager starts it again.",
  },
  namespace_gone: {
    ...internal,
    message: 'the network namespace {namespace} is gone',
    hint: 'Its forwards are applied as soon as it is back.',
  },
  lab_obstructed: {
    status: 409,
    exit: EXIT.conflict,
    message: 'something is in the way of the practice network: {reason}',
    hint: 'Remove it if it is not needed; otherwise practise on another machine.',
  },
  command_failed: {
    ...internal,
    message: '{command} failed: {reason}',
    hint: 'Run it by hand to see more.',
  },
  output_failed: {
    ...internal,
    message: 'the output cannot be written: {reason}',
    hint: 'Whatever was changed stays changed; look at it with another command.',
  },
  internal_error: {
    ...internal,
    message: 'something went wrong inside hatoba: {reason}',
    hint: "This is a bug. The daemon's log has the details.",
  },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;
