import { render } from 'preact'
import { TryItPage } from './page.tsx'

render(<TryItPage />, document.querySelector('#page')!)
