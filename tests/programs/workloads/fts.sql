create virtual table doc using fts5(title, body, tokenize = porter);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 4000)
insert into doc select 'title ' || i, printf('heap %d stack %d word%d sweeping marks %s', i % 7, i % 31, i % 113, hex(i * 7919)) from n;
select count(*) from doc where doc match 'sweep AND word17';
select title, round(bm25(doc), 4) from doc where doc match 'stack NEAR 30' order by rank, rowid limit 5;
select snippet(doc, 1, '[', ']', '...', 4) from doc where doc match 'mark*' limit 3;
insert into doc(doc) values ('optimize'); insert into doc(doc) values ('integrity-check');
create virtual table box using rtree(id, x0, x1, y0, y1);
insert into box select rowid, rowid % 97, rowid % 97 + 3, rowid % 89, rowid % 89 + 2 from doc;
select count(*), sum(id) from box where x0 > 30 and x1 < 50 and y0 > 20;
create table j as select json_group_array(json_object('t', title, 'n', rowid)) a from doc;
select count(*), sum(value ->> 'n') from j, json_each(j.a);
