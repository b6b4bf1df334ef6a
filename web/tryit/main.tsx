import { render } from 'preact'
import { TryItPage } from './page.tsx'

const page = document.querySelector('#page')!
page.textContent = ''
render(<TryItPage />, page)
