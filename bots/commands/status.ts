import { settingWarnings } from '../../core/domain/settings/warnings.ts'
import { systemHealth } from '../../core/store/queues/health.ts'
import { answer, fields, table } from '../framework/answer.ts'
import { command } from '../framework/command.ts'
import { ago } from './patient-status.ts'

export const status = command({
  words: ['status'],
  needs: ['admin', 'supervisor'],
  args: {},
  help: 'How the services are: what waits in each queue, who leads, how the texts of the last 24 hours went.',
  views: 'status.view',
  run: async ({ tx, settings }) => {
    const health = await systemHealth(tx.sql, tx.now)
    const texts = Object.entries(health.texts).map(([state, n]) => `${n} ${state}`)
    return answer(
      ...settingWarnings(settings).map(sentence => `⚠️ ${sentence}`),
      ...table(
        ['Queue', 'Waiting', 'Oldest due', 'Given up'],
        health.queues.map(q => [
          q.name,
          String(q.waiting),
          q.oldestDue === null ? '' : ago(q.oldestDue, tx.now),
          String(q.givenUp),
        ]),
      ),
      ...table(
        ['Leader of', 'Process', 'State'],
        health.leaders.map(l => [l.name, l.holder, l.aliveForMs > 0 ? 'alive' : 'gone']),
      ),
      fields(['Texts, 24 hours', texts.join(', ') || 'none'], ['Schema', health.schema]),
    )
  },
})
