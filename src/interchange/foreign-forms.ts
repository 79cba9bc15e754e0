/** What a text is that is neither a dump of iptables nor a file of ours, and what prints it in a form that can be read. */
interface ForeignForm {
  readonly pattern: RegExp;
  readonly reason: string;
}

const FORMS: readonly ForeignForm[] = [
  {
    pattern: /^# Table `nat' is incompatible/m,
    reason:
      'iptables-save could not read table nat, since it has rules of nft; nft list ruleset shows them, and hatoba adopt names them',
  },
  {
    pattern: /^\s*\{\s*"nftables"\s*:/,
    reason:
      'it is a ruleset of nft -j, and only rules of iptables are taken over; iptables-save prints those of iptables-nft',
  },
  {
    pattern: /^\s*table (?:ip|ip6|inet|arp|bridge|netdev) \S+ \{/m,
    reason:
      'it is a ruleset of nft, and only rules of iptables are taken over; iptables-save prints those of iptables-nft',
  },
  {
    pattern: /^Chain \S+ \((?:policy \S+|\d+ references)/m,
    reason:
      'it is a listing of iptables -L, which leaves out interfaces and more; iptables-save prints the rules as a whole',
  },
  {
    pattern: /^\s*(?:sudo\s+)?(?:\S*\/)?ip6?tables(?:-nft|-legacy)?\s+-/m,
    reason: 'it is a script of iptables commands; run it where it belongs, and import what iptables-save prints there',
  },
  {
    pattern: /^-[APN] \S/m,
    reason: 'it lists rules as iptables -S does, and not as iptables-save',
  },
];

/** Why a text is no dump that can be read, though it is of rules. Null: it is a dump, or of no form that is known here. */
export function foreignFormOf(text: string, isDump: boolean): string | null {
  const [incompatible, ...others] = FORMS;
  const forms = isDump ? [incompatible] : [incompatible, ...others];
  return forms.find((form) => form?.pattern.test(text))?.reason ?? null;
}
