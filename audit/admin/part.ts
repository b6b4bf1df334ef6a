import { join } from 'node:path'
import { minutes } from '../../core/domain/clock.ts'
import { isSafeAddress } from '../../core/http/cookies.ts'
import { listen } from '../../core/http/listen.ts'
import { refusalLog } from '../../core/http/refusals.ts'
import { startSweeps } from '../../core/queues/sweeps.ts'
import { sweepAdminSessions } from '../../core/store/admin/admin-sessions.ts'
import { transact } from '../../core/store/tx.ts'
import type { AuditPart } from '../deps.ts'
import { adminApp } from './app.ts'

/** The administrators' page on a listener of its own, never the patients'. Behind plain http to another machine it is not served at all. */
export const adminPageFrom = (pageFolder: string): AuditPart => ({
  name: 'admin page',
  start: async ({ store, log, adminUrl, origin, proxies, listen: { admin } }) => {
    const sweep = startSweeps({
      store,
      name: 'admin-sessions',
      every: minutes(1),
      run: () => transact(store, sweepAdminSessions),
      log,
    })
    if (!isSafeAddress(adminUrl)) {
      log.error({ adminUrl }, "the administrators' page is not served: adminUrl must begin with https://")
      return sweep
    }
    const refusals = refusalLog({ store, log })
    const app = adminApp({ store, log, refusals, adminUrl, origin, pageFolder, proxies })
    const stop = async () => {
      await refusals.stop()
      await sweep.stop()
    }
    const listener = await listen(app, admin).catch(async err => {
      await stop()
      throw err
    })
    return {
      stop: async () => {
        await listener.stop()
        await stop()
      },
    }
  },
})

export const adminPage = adminPageFrom(join(import.meta.dirname, '../../dist/admin'))
