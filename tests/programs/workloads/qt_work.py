"""A window of Qt's with a table, a tree, a rich text and a scene, filled, scrolled and taken down again."""
import sys

from PyQt5 import QtCore, QtGui, QtWidgets

application = QtWidgets.QApplication(sys.argv)


class Model(QtCore.QAbstractTableModel):
    def rowCount(self, parent=QtCore.QModelIndex()):
        return 5000

    def columnCount(self, parent=QtCore.QModelIndex()):
        return 6

    def data(self, index, role=QtCore.Qt.DisplayRole):
        return index.row() * 7919 % 5003 + index.column() if role == QtCore.Qt.DisplayRole else None


def window():
    tabs = QtWidgets.QTabWidget()
    table = QtWidgets.QTableView()
    proxy = QtCore.QSortFilterProxyModel(table)
    proxy.setSourceModel(Model(table))
    table.setModel(proxy)
    table.setSortingEnabled(True)
    tree = QtWidgets.QTreeWidget()
    for i in range(100):
        item = QtWidgets.QTreeWidgetItem(tree, [f"item {i}"])
        for j in range(20):
            QtWidgets.QTreeWidgetItem(item, [f"part {j}"])
    text = QtWidgets.QTextEdit("<br>".join(f"<b>line</b> <i>{i}</i>" for i in range(500)))
    scene = QtWidgets.QGraphicsScene(tabs)
    for i in range(300):
        scene.addEllipse(i % 20 * 30, i // 20 * 30, 25, 25, brush=QtGui.QBrush(QtGui.QColor(i % 255, 90, 160)))
    for name, page in (("table", table), ("tree", tree), ("text", text), ("scene", QtWidgets.QGraphicsView(scene))):
        tabs.addTab(page, name)
    tabs.resize(600, 400)
    tabs.show()
    return tabs, table, tree, text, scene


for turn in range(3):
    tabs, table, tree, text, scene = window()
    loop = QtCore.QEventLoop()
    timer = QtCore.QTimer()
    steps = iter(range(24))

    def step():
        n = next(steps, None)
        if n is None:
            return loop.quit()
        tabs.setCurrentIndex(n % 4)
        table.sortByColumn(n % 6, QtCore.Qt.SortOrder(n % 2))
        table.scrollTo(table.model().index(n * 200, 0))
        tree.expandItem(tree.topLevelItem(n))
        text.append(f"step {n}")
        scene.addRect(n * 5, n * 5, 40, 40)
        tabs.grab()

    timer.timeout.connect(step)
    timer.start(15)
    loop.exec_()
    print(turn, table.model().index(0, 0).data(), tree.topLevelItemCount(), text.document().blockCount(), len(scene.items()))
    tabs.close()
    tabs.deleteLater()
    application.processEvents()
