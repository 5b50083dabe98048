"""A window of GTK's with a long list, a text and drawings, filled, scrolled and taken down again."""
import gi

gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402


def list_view():
    store = Gtk.ListStore(str, int)
    for i in range(3000):
        store.append([f"row {i * 7919 % 3001}", i])
    view = Gtk.TreeView(model=store)
    for n, title in enumerate(("name", "number")):
        column = Gtk.TreeViewColumn(title, Gtk.CellRendererText(), text=n)
        column.set_sort_column_id(n)
        view.append_column(column)
    return store, view


def draw(area, context):
    for i in range(200):
        context.arc(150, 100, i % 90, 0, 6.3)
        context.set_source_rgb(i / 200, 0.5, 1 - i / 200)
        context.stroke()


for turn in range(3):
    window = Gtk.Window(title="work")
    window.set_default_size(600, 400)
    store, view = list_view()
    text = Gtk.TextView()
    lines = text.get_buffer()
    lines.set_text("\n".join(f"line {i}" for i in range(2000)))
    area = Gtk.DrawingArea()
    area.connect("draw", draw)
    pages = Gtk.Notebook()
    for name, page in (("list", view), ("text", text), ("drawing", area)):
        scrolled = Gtk.ScrolledWindow()
        scrolled.add(page)
        pages.append_page(scrolled, Gtk.Label(label=name))
    window.add(pages)
    window.show_all()
    steps = iter(range(40))

    def step():
        n = next(steps, None)
        if n is None:
            window.destroy()
            Gtk.main_quit()
            return False
        pages.set_current_page(n % 3)
        store.set_sort_column_id(n % 2, Gtk.SortType(n // 2 % 2))
        view.scroll_to_cell(n * 70)
        lines.insert_at_cursor(f"step {n}\n")
        return True

    GLib.timeout_add(20, step)
    Gtk.main()
    print(turn, len(store), store[0][0], lines.get_line_count(), Gdk.Screen.get_default() is None)
