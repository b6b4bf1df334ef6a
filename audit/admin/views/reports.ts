import { z } from 'zod'
import { isMonth } from '../../../core/domain/audit/period.ts'
import type { PageRole } from '../../../core/domain/audit/visible.ts'
import { accessReport, commandsReport, linksReport } from '../../../core/store/audit/reports.ts'
import type { Tx } from '../../../core/store/tx.ts'
import type { Report, ReportName } from '../../../web/admin-contract.ts'
import { deny } from '../within.ts'
import { view } from './view.ts'

const names = ['access', 'links', 'commands'] as const

/** An administrator sees how commands are used, and nothing that patients stand in. */
export const reportsFor = (roles: readonly PageRole[]): ReportName[] =>
  roles.includes('compliance') ? [...names] : roles.includes('admin') ? ['commands'] : []

const read = async (tx: Tx, report: ReportName, month: string): Promise<Report> => {
  switch (report) {
    case 'access':
      return { report, month, data: await accessReport(tx.sql, month) }
    case 'links':
      return { report, month, data: await linksReport(tx.sql, month) }
    case 'commands':
      return { report, month, data: await commandsReport(tx.sql, month) }
  }
}

/** The reports of a month, as `!audit report` has them. */
export const reports = view({
  name: 'reports',
  needs: ['compliance', 'admin'],
  body: z.strictObject({ report: z.enum(names), month: z.string().refine(isMonth) }),
  read: async ({ tx, session }, { report, month }) => {
    if (!reportsFor(session.roles).includes(report)) return deny(403, 'forbidden', 'role')
    const seen = { detail: { report, month: Number(month.replace('-', '')) } }
    return { answer: await read(tx, report, month), seen }
  },
})
