<?php
mt_srand(3);
$rows = [];
for ($i = 0; $i < 4000; $i++) $rows[] = ["id" => $i, "name" => "n" . mt_rand(0, 300), "x" => [$i, null, "é$i"]];
$json = json_encode($rows);
echo count(json_decode($json, true)), " ", md5($json), " ", strlen(gzcompress($json)), "\n";
class Node { public $a; public $b; }
for ($i = 0; $i < 30000; $i++) { $n = new Node; $n->a = new Node; $n->a->b = $n; }
echo gc_collect_cycles() >= 0 ? "cycles\n" : "";
function gen($n) { for ($i = 0; $i < $n; $i++) yield $i => str_repeat("x", $i % 50); }
$sum = 0; foreach (gen(50000) as $k => $v) $sum += $k * strlen($v);
echo $sum, " ", strlen(serialize($rows)), " ", count(unserialize(serialize($rows))), "\n";
if (class_exists("PDO") && in_array("sqlite", PDO::getAvailableDrivers())) {
  $db = new PDO("sqlite::memory:"); $db->exec("create table t (a, b)");
  $st = $db->prepare("insert into t values (?, ?)"); $db->beginTransaction();
  foreach ($rows as $r) $st->execute([$r["id"], $r["name"]]);
  $db->commit(); echo json_encode($db->query("select b, count(*) c from t group by b order by c desc, b limit 5")->fetchAll(PDO::FETCH_NUM)), "\n";
}
if (class_exists("DOMDocument")) {
  $d = new DOMDocument; $d->loadXML("<a>" . str_repeat("<b c='1'>t</b>", 3000) . "</a>");
  $x = new DOMXPath($d); echo $x->query("//b[@c='1']")->length, " ", strlen($d->saveXML()), "\n";
}
echo preg_replace_callback("/n(\d)(\d*)/", fn($m) => $m[2] . $m[1], substr($json, 0, 300)), "\n";
if (function_exists("mb_strtoupper")) echo md5(mb_strtoupper($json)), "\n";
usort($rows, fn($a, $b) => [$a["name"], $a["id"]] <=> [$b["name"], $b["id"]]);
echo $rows[17]["name"], $rows[3999]["id"], "\n";
