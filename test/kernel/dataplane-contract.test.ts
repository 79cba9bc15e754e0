import { type Damage, type DataplaneWorld, dataplaneContract } from '../contract/dataplane-contract.ts';
import { ip, nft } from '../support/command.ts';
import { createNamespaces } from '../support/namespaces.ts';
import { DRIVERS, linuxOver, openTestKernel } from './linux-under-test.ts';
import { listedRules } from './nft-listing.ts';

for (const driver of DRIVERS) dataplaneContract(`Linux, by ${driver}`, () => makeWorld(driver));

/** Routers that are namespaces with one interface to the outside. */
async function makeWorld(driver: (typeof DRIVERS)[number]): Promise<DataplaneWorld> {
  const namespaces = await createNamespaces();
  return {
    open: async () => linuxOver(await openTestKernel({ driver }), namespaces.prefix),
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
    contents: listedRules,
    damage: (id, damage) => nft(id, damageScript(damage)),
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
