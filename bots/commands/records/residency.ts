import { days } from '../../../core/domain/clock.ts'
import { listExports } from '../../../core/store/records/exports.ts'
import { whereabouts } from '../../../core/store/records/whereabouts.ts'
import { sinkHealth } from '../../../core/store/sinks/sinks.ts'
import { answer, fields, heading, list, literal, table } from '../../framework/answer.ts'
import { command } from '../../framework/command.ts'

const day = (at: number) => new Date(at).toISOString().slice(0, 10)

export const retentionResidency = command({
  words: ['retention', 'residency'],
  needs: ['compliance', 'admin'],
  args: {},
  help: 'Where records are: this homeserver and those of other hospitals, the places to which the audit log is exported, packages that were handed out, and until when backups may have what was destroyed.',
  views: 'retention.view',
  run: async ({ tx, settings, bot }) => {
    const own = bot.slice(bot.indexOf(':') + 1)
    const servers = await whereabouts(tx.sql)
    const sinks = await sinkHealth(tx.sql, tx.now)
    const packages = (await listExports(tx.sql, 1000)).filter(e => e.state === 'done')
    const backups = settings['recall.backup_days']
    return answer(
      ...table(
        ['Homeserver', '', 'Rooms', 'Messages', 'Removals asked', 'taken'],
        servers.map(s => [
          s.server,
          s.server === own ? 'ours' : 'another hospital',
          String(s.rooms),
          String(s.messages),
          s.server === own ? '' : String(s.asked),
          s.server === own ? '' : String(s.taken),
        ]),
      ).map(literal),
      'A homeserver has every message of a room in which its people are, encrypted; those whose people never wrote there are not in this list.',
      heading('The audit log goes to'),
      ...(sinks.length === 0
        ? ['No sink: it is in the database alone.']
        : [
            literal(
              list(
                sinks.map(
                  s => `${s.name}: ${s.type} → ${s.target}${s.identify ? ', with whom entries are about' : ''}`,
                ),
              ),
            ),
          ]),
      fields(
        ['Packages of records handed out', String(packages.length)],
        [
          'Backups',
          backups === 0
            ? 'none are kept (recall.backup_days)'
            : `kept for ${backups} days (recall.backup_days): what is destroyed today may be in one, encrypted, until ${day(tx.now + days(backups))}`,
        ],
      ),
    )
  },
})
