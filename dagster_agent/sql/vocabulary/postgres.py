"""Functions of PostgreSQL and of its usual extensions that only compute.

Left out: `pg_*` beyond the sizes of values, large objects, settings, locks, sequences, privileges,
`dblink`, and everything that runs SQL given as text (`query_to_xml`, `ts_stat`, `crosstab`).
"""

from __future__ import annotations

POSTGRES = """
    abbrev acosd age akeys any_value approx_percentile area array_append array_cat array_dims
    array_fill array_length array_lower array_ndims array_position array_positions
    array_prepend array_remove array_replace array_reverse array_sample array_shuffle
    array_sort array_to_json array_to_string array_to_tsvector array_upper asind atan2d atand
    avals bit_and bit_count bit_or bit_xor bool_and bool_or bound_box bounding_box box
    broadcast cardinality casefold center century circle clock_timestamp convert_from
    convert_to cosd cosine_distance cotd crc32 crc32c date_add date_bin date_subtract
    datemultirange daterange decade decode defined delete diagonal diameter difference digest
    dmetaphone dmetaphone_alt encode enum_first enum_last enum_range erf erfc every exist
    extract family first float8send format gamma gcd gen_random_uuid generate_series
    generate_subscripts
    get_bit get_byte hamming_distance hashtext hashtextextended height histogram hll_add
    hll_add_agg hll_cardinality hll_empty hll_hash_bigint hll_hash_integer hll_hash_text
    hll_union hll_union_agg hmac host hostmask hstore hstore_to_json hstore_to_jsonb
    inet_merge inet_same_family inner_product int4multirange int4range int8multirange
    int8range interpolate is_normalized isclosed isempty isfinite ishorizontal isnan isopen
    isparallel isperp isvertical jaccard_distance json_agg json_agg_strict json_array
    json_array_elements json_array_elements_text json_arrayagg json_build_array
    json_build_object json_each json_each_text json_exists json_extract_path
    json_extract_path_text json_object json_object_agg json_object_agg_strict
    json_object_agg_unique json_object_keys json_objectagg json_populate_record
    json_populate_recordset json_query json_scalar json_serialize json_strip_nulls json_table
    json_to_record json_to_recordset json_to_tsvector json_typeof json_value jsonb_agg
    jsonb_agg_strict jsonb_array_elements jsonb_array_elements_text jsonb_array_length
    jsonb_build_array jsonb_build_object jsonb_concat jsonb_contains jsonb_delete
    jsonb_delete_path jsonb_each jsonb_each_text jsonb_exists jsonb_exists_all
    jsonb_exists_any jsonb_extract_path jsonb_extract_path_text jsonb_insert jsonb_object
    jsonb_object_agg jsonb_object_agg_strict jsonb_object_agg_unique jsonb_object_keys
    jsonb_path_exists jsonb_path_exists_tz jsonb_path_match jsonb_path_match_tz
    jsonb_path_query jsonb_path_query_array jsonb_path_query_array_tz jsonb_path_query_first
    jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
    jsonb_populate_recordset jsonb_pretty jsonb_set jsonb_set_lax jsonb_strip_nulls
    jsonb_to_record jsonb_to_recordset jsonb_to_tsvector jsonb_typeof justify_days
    justify_hours justify_interval l1_distance l2_distance l2_normalize last lcm levenshtein
    levenshtein_less_equal lgamma line locf lower_inc lower_inf lseg make_date make_interval
    make_time make_timestamp make_timestamptz masklen metaphone min_scale mode multirange
    netmask network normal_rand normalize npoints num_nonnulls num_nulls nummultirange numnode
    numrange parse_ident path pclose percentile_agg pg_column_size pg_size_bytes
    pg_size_pretty pg_typeof phraseto_tsquery plainto_tsquery point polygon quote_ident
    quote_literal quote_nullable radius random_normal range_agg range_intersect_agg
    range_merge regexp_match regexp_matches regexp_split_to_array regexp_split_to_table row
    row_to_json scale set_bit set_byte setweight sha224 sha256 sha384 sha512 show_trgm
    similarity sind skeys slice slope st_area st_asbinary st_asewkt st_asgeojson st_astext
    st_azimuth st_boundary st_buffer st_centroid st_closestpoint st_clusterdbscan
    st_clusterkmeans st_clusterwithin st_collect st_contains st_containsproperly st_convexhull
    st_coveredby st_covers st_crosses st_difference st_dimension st_disjoint st_distance
    st_distancesphere st_distancespheroid st_dump st_dumppoints st_dwithin st_endpoint
    st_envelope st_equals st_expand st_extent st_exteriorring st_force2d st_geogfromtext
    st_geohash st_geometryn st_geometrytype st_geomfromgeohash st_geomfromgeojson
    st_geomfromtext st_geomfromwkb st_hausdorffdistance st_hexagongrid st_intersection
    st_intersects st_isclosed st_isempty st_isring st_issimple st_isvalid st_length
    st_lineinterpolatepoint st_linemerge st_linesubstring st_makeenvelope st_makeline
    st_makepoint st_makepolygon st_makevalid st_multi st_npoints st_numgeometries st_numpoints
    st_overlaps st_perimeter st_point st_pointfromtext st_pointn st_pointonsurface st_project
    st_reverse st_segmentize st_setsrid st_simplify st_simplifypreservetopology st_snaptogrid
    st_squaregrid st_srid st_startpoint st_subdivide st_symdifference st_touches st_transform
    st_translate st_unaryunion st_union st_within st_x st_xmax st_xmin st_y st_ymax st_ymin
    st_z starts_with statement_timestamp strict_word_similarity string_to_array
    string_to_table strip subvector svals tand text_soundex time time_bucket
    time_bucket_gapfill timeofday timezone to_ascii to_bin to_hex to_json to_jsonb to_oct
    to_tsquery to_tsvector transaction_timestamp trim_array trim_scale ts_delete ts_filter
    ts_headline ts_rank ts_rank_cd tsmultirange tsquery_phrase tsrange tstzmultirange
    tstzrange unaccent unicode_assigned unistr upper_inc upper_inf uuid_extract_timestamp
    uuid_extract_version uuid_generate_v1 uuid_generate_v3 uuid_generate_v4 uuid_generate_v5
    uuidv4 uuidv7 vector_dims vector_norm websearch_to_tsquery width word_similarity xmlagg
    xmlcomment xmlconcat xmlexists xmlforest xpath xpath_exists
"""
