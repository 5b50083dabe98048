create table item (id serial primary key, name text, doc jsonb, n numeric);
insert into item (name, doc, n) select 'n' || (i % 300), jsonb_build_object('k', i, 'l', array[i, i * 2]), i / 7.0
  from generate_series(1, 8000) i;
create index on item using gin (doc);
create index on item (name);
analyze item;
select name, count(*), sum(n) from item group by name order by name limit 5;
select count(*) from item where doc @> '{"k": 77}';
with recursive t(i, s) as (select 1, '' union all select i + 1, s || i from t where i < 300) select max(length(s)) from t;
select i.name, rank() over (order by sum(i.n) desc) from item i join item j using (name) group by 1, n order by 2, 1 limit 5;
create function f(int) returns int language plpgsql as $$ begin if $1 < 2 then return $1; end if; return f($1 - 1) + f($1 - 2); end $$;
select f(17);
do $$ begin for i in 1..300 loop begin insert into item (id) values (1); exception when unique_violation then null; end; end loop; end $$;
select md5(string_agg(regexp_replace(name, '\d', 'x', 'g'), ',' order by id)) from item;
vacuum full item;
select sum(abalance) = (select sum(delta) from pgbench_history), (select count(*) from pgbench_history) from pgbench_accounts;
