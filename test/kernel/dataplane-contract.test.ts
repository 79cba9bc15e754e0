import { isProtocol, PROTOCOL_NUMBERS } from '../../src/model/protocol.ts';
import { type Damage, type DataplaneWorld, dataplaneContract } from '../contract/dataplane-contract.ts';
import { ip, nft, runIn } from '../support/command.ts';
import { createNamespaces } from '../support/namespaces.ts';
import { type Iptables, listedRules as listedByIptables } from './iptables-listing.ts';
import { DRIVERS, linuxOver, openTestKernel } from './linux-under-test.ts';
import { listedRules } from './nft-listing.ts';

/** What is particular to one backend. */
type Particular = Pick<DataplaneWorld, 'contents' | 'damage'> & {
  readonly open: (prefix: string) => Promise<ReturnType<typeof linuxOver>>;
};

for (const driver of DRIVERS) {
  dataplaneContract(`Linux, by ${driver}`, () =>
    makeWorld({
      open: async (prefix) => linuxOver(await openTestKernel({ driver }), prefix),
      contents: listedRules,
      damage: (id, damage) => nft(id, damageScript(damage)),
    }),
  );
}

const PROTOCOLS = Object.keys(PROTOCOL_NUMBERS).filter(isProtocol);

for (const iptables of ['iptables-nft', 'iptables-legacy'] as const) {
  dataplaneContract(
    `Linux, by ${iptables}`,
    () =>
      makeWorld({
        open: async (prefix) =>
          linuxOver(await openTestKernel({ compiled: false }), prefix, { backend: 'iptables', iptables }),
        contents: (id) => listedByIptables(id, iptables),
        damage: (id, damage) => damageByIptables(id, iptables, damage),
      }),
    {
      protocols: PROTOCOLS.filter((protocol) => protocol !== 'udplite'),
      hearsStrangers: iptables === 'iptables-nft',
    },
  );
}

/** Routers that are namespaces with one interface to the outside. */
async function makeWorld({ open, ...particular }: Particular): Promise<DataplaneWorld> {
  const namespaces = await createNamespaces();
  return {
    open: () => open(namespaces.prefix),
    id: (label) => namespaces.name(`router-${label}`),
    async add(id) {
      await namespaces.add(id);
      await ip(id, 'link add qg-outside type veth peer name other', 'link set qg-outside up');
    },
    remove: (id) => namespaces.remove(id),
    async setGateways(id, gateways) {
      const wanted = Object.values(gateways).map(({ family, text }) =>
        family === 4 ? `${text}/24` : `${text}/64 nodad`,
      );
      await ip(id, 'address flush dev qg-outside', ...wanted.map((address) => `address add ${address} dev qg-outside`));
    },
    ...particular,
    [Symbol.asyncDispose]: () => namespaces[Symbol.asyncDispose](),
  };
}

function damageScript(damage: Damage): string {
  switch (damage) {
    case 'an entry removed':
      return 'delete element inet hatoba exact4 { 203.0.113.7 . tcp . 80 }';
    case 'an entry added':
      return 'add element inet hatoba exact4 { 203.0.113.66 . tcp . 66 : 10.0.0.66 . 66 }';
    case 'an entry turned elsewhere':
      return `delete element inet hatoba exact4 { 203.0.113.7 . tcp . 80 }
              add element inet hatoba exact4 { 203.0.113.7 . tcp . 80 : 10.0.0.66 . 66 }`;
    case 'all of it removed':
      return 'flush ruleset';
  }
}

async function damageByIptables(id: string, iptables: Iptables, damage: Damage): Promise<void> {
  if (damage === 'all of it removed') {
    await runIn(id, `${iptables}-restore`, [], '*nat\nCOMMIT\n');
    return;
  }
  const dump = await runIn(id, `${iptables}-save`, ['-t', 'nat']);
  const entry = /^-A (hatoba-prerouting -d 203\.0\.113\.7\/32 -p tcp -m tcp --dport 80 .*)$/m.exec(dump)?.[1] ?? '';
  const removed = `-D ${entry}`;
  const lines = {
    'an entry removed': [removed],
    'an entry added': ['-A hatoba-prerouting -d 203.0.113.66/32 -p tcp --dport 66 -j DNAT --to 10.0.0.66:66'],
    'an entry turned elsewhere': [removed, `-A ${entry.replace(/\S+$/, '10.0.0.66:66')}`],
  };
  await runIn(id, `${iptables}-restore`, ['--noflush'], ['*nat', ...lines[damage], 'COMMIT', ''].join('\n'));
}
