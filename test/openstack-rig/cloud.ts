import { type Account, administer, type KeystoneAdmin } from './keystone-admin.ts';
import { type KeystoneServer, startKeystone } from './keystone-server.ts';

/** Where the users of services are. */
export const SERVICE_HOME = { userDomain: 'Default', project: 'service', projectDomain: 'Default' } as const;

/** A real Keystone with some projects and users. */
export interface Cloud extends AsyncDisposable {
  readonly server: KeystoneServer;
  readonly admin: KeystoneAdmin;
  /** The ids of two projects. */
  readonly blue: string;
  readonly green: string;
  /** Admin of blue, and of the domain. */
  readonly ann: Account;
  /** Member of blue, reader of green. */
  readonly mia: Account;
  /** Auditor of blue, whatever that may be. */
  readonly odo: Account;
  /** With the role service in the project service. */
  readonly service: Account;
}

export async function startCloud(): Promise<Cloud> {
  await using cleanup = new AsyncDisposableStack();
  const server = cleanup.use(await startKeystone());
  const admin = await administer(server.url);
  const [blue, green, home] = [
    await admin.project('blue'),
    await admin.project('green'),
    await admin.project('service'),
  ];
  const [ann, mia, odo] = [await admin.user('ann'), await admin.user('mia'), await admin.user('odo')];
  const service = await admin.user('hatoba');
  await admin.grant(ann, await admin.role('admin'), blue);
  await admin.grantInDomain(ann, await admin.role('admin'));
  await admin.grant(mia, await admin.role('member'), blue);
  await admin.grant(mia, await admin.role('reader'), green);
  await admin.grant(odo, await admin.role('auditor'), blue);
  await admin.grant(service, await admin.role('service'), home);
  const parts = cleanup.move();
  return { server, admin, blue, green, ann, mia, odo, service, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}
